#include "core/cascade/watermarks.h"

#include <algorithm>

#include "core/base/strings.h"
#include "core/base/urlcode.h"
#include "core/log/log.h"

namespace skytools::cascade {

namespace {

constexpr milliseconds kNodeLimit(5000);  ///< a node that is asked and does not answer must not hold up the batches

std::optional<NodeInfo> info_at(pg::Connection& c, const std::string& queue) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  return node_info(tx, queue);
}

}  // namespace

std::vector<std::string> sync_watermark_nodes(pg::Transaction& tx, const std::string& queue) {
  pg::Result r = tx.exec("select node_attrs from pgq_node.get_node_info($1) where node_type = 'branch'", queue);
  if (r.rows() == 0) return {};
  for (auto& attribute : decode_row(r.get<std::string>(0, 0).value_or("")))
    if (attribute.name == "sync_watermark") return split(attribute.value.value_or(""), ',');
  return {};
}

bool Watermarks::due(milliseconds period) {
  if (Clock::now() < due_) return false;
  due_ = Clock::now() + period;
  return true;
}

void Watermarks::publish_global() {
  if (!due(session_.settings().global_watermark_period)) return;
  pg::Transaction tx(session_.target(), pg::Mode::autocommit);
  // A root that is being demoted takes no events: it will not be a root for long.
  if (!takes_events(tx, session_.settings().queue)) return;
  run_command(tx, "pgq_node.set_global_watermark($1, null)", {session_.settings().queue});
}

void Watermarks::publish(const pgq::Batch& batch) {
  if (!session_.duties().publishes_local || !due(session_.settings().local_watermark_period)) return;
  auto info = info_at(session_.target(), session_.settings().queue);
  if (!info || !info->local_watermark) return;
  std::vector<std::string> nodes;
  {
    pg::Transaction tx(session_.target(), pg::Mode::autocommit);
    nodes = sync_watermark_nodes(tx, session_.settings().queue);
  }
  if (nodes.empty()) return tell_provider(info->name, std::min(*info->local_watermark, batch.tick));
  tell_provider(info->name, batch.prev_tick);
  keep_own(*info, nodes);
}

void Watermarks::tell_provider(const std::string& node, std::int64_t watermark) {
  const std::string& queue = session_.settings().queue;
  pg::Transaction tx(session_.source(), pg::Mode::autocommit);
  pg::Result r =
      tx.exec("select ret_code, ret_note from pgq_node.set_subscriber_watermark($1, $2, $3)", queue, node, watermark);
  // A watermark only holds events back; one that could not be moved is no reason to stop.
  if (r.rows() && r.get<int>(0, 0).value_or(0) >= 300)
    log::warning("watermark not published", {{"queue", queue}, {"note", std::string(r.text(0, 1))}});
}

std::optional<std::int64_t> Watermarks::own(pg::Transaction& target) {
  const std::string& queue = session_.settings().queue;
  if (session_.state().type != NodeType::branch || sync_watermark_nodes(target, queue).empty()) return std::nullopt;
  auto info = node_info(target, queue);
  return info ? info->global_watermark : std::nullopt;
}

/// What the node needs; nullopt, and a warning, when it cannot be known. A dead node needs nothing.
std::optional<std::int64_t> Watermarks::watermark_of(const std::string& node, const std::vector<Member>& members) {
  constexpr std::int64_t kNothing = INT64_MAX;
  const std::string& queue = session_.settings().queue;
  auto member = std::find_if(members.begin(), members.end(), [&](auto& m) { return m.name == node; });
  std::string problem;
  if (member == members.end()) {
    problem = "no such node";
  } else if (member->dead) {
    return kNothing;
  } else {
    try {
      pg::Connection c("node " + node, member->location,
                       {.connect_timeout = kNodeLimit,
                        .statement_timeout = kNodeLimit,
                        .stop = &session_.context().stop,
                        .application_name = "skytools worker"});
      if (auto info = info_at(c, queue); info && info->local_watermark) return info->local_watermark;
      problem = "it is no node of the queue";
    } catch (const pg::SqlError& e) {
      problem = e.what();
    } catch (const TimedOut& e) {
      problem = e.what();
    }
  }
  log::warning("own watermark not moved, node " + node + " of sync_watermark cannot be asked",
               {{"queue", queue}, {"reason", problem}});
  return std::nullopt;
}

void Watermarks::keep_own(const NodeInfo& info, const std::vector<std::string>& nodes) {
  const std::string& queue = session_.settings().queue;
  std::int64_t lowest = *info.local_watermark;
  auto above = info_at(session_.source(), queue);
  if (!above || !above->global_watermark) return;
  lowest = std::min(lowest, *above->global_watermark);
  std::vector<Member> all;
  {
    pg::Transaction tx(session_.target(), pg::Mode::autocommit);
    all = members(tx, queue);
  }
  for (auto& node : nodes) {
    if (node == info.name) continue;
    auto watermark = watermark_of(node, all);
    if (!watermark) return;
    lowest = std::min(lowest, *watermark);
  }
  if (info.global_watermark && lowest <= *info.global_watermark) return;  // what was let go is gone
  pg::Transaction tx(session_.target(), pg::Mode::autocommit);
  run_command(tx, "pgq_node.set_global_watermark($1, $2)", {queue, lowest});
}

}  // namespace skytools::cascade
