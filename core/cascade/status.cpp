#include "core/cascade/status.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "core/cascade/parallel.h"

namespace skytools::cascade {

namespace {

constexpr const char* kLagSql =
    "select extract(epoch from clock_timestamp() - t.tick_time)::float8,"
    " (select max(n.tick_event_seq) from pgq.tick n where n.tick_queue = q.queue_id) - t.tick_event_seq"
    " from pgq.queue q join pgq.tick t on t.tick_queue = q.queue_id where q.queue_name = $1 and t.tick_id = $2";

/// The lag of a node is what its provider can tell about the tick it has completed.
void read_lag(pg::Connection& at, const std::string& queue, NodeStatus& node) {
  if (!node.tick) return;
  pg::Transaction tx(at, pg::Mode::autocommit);
  pg::Result r = tx.exec(kLagSql, queue, *node.tick);
  if (r.rows() == 0) return;
  node.lag_seconds = std::max(0.0, r.get<double>(0, 0).value_or(0));
  node.lag_events = r.get<std::int64_t>(0, 1);
}

void read_tables(pg::Transaction& tx, const std::string& queue, NodeStatus& node) {
  if (!tx.value<bool>("select to_regclass('londiste.table_info') is not null")) return;
  node.has_tables = true;
  std::tie(node.tables_ok, node.tables_half, node.tables_ignored) = tx.one<std::int64_t, std::int64_t, std::int64_t>(
      "select count(*) filter (where local and merge_state in ('ok', '?')),"
      " count(*) filter (where local and coalesce(merge_state, '') not in ('ok', '?')), count(*) filter (where not "
      "local)"
      " from londiste.table_info where queue_name = $1",
      queue);
}

void ask(NodeStatus& node, const std::string& queue, milliseconds limit, const StopToken& stop) {
  pg::ConnectOptions options{
      .connect_timeout = limit, .statement_timeout = limit, .stop = &stop, .application_name = "skytools status"};
  pg::Connection c("node " + node.name, node.location, options);
  std::string provider_location;
  {
    pg::Transaction tx(c, pg::Mode::autocommit);
    auto info = node_info(tx, queue);
    if (!info) throw Error("[" + c.label() + "] there is no node of queue " + queue);
    node.type = to_string(info->type);
    node.provider = info->type == NodeType::root ? "" : info->provider_node;
    node.tick = info->last_tick;
    node.paused = info->paused;
    node.uptodate = info->uptodate;
    provider_location = info->provider_location;
    pg::Result r = tx.exec(
        "select consumer_name, cur_error from pgq_node.get_consumer_info($1) where cur_error is not null", queue);
    for (int i = 0; i < r.rows(); ++i)
      node.errors.push_back(std::string(r.text(i, 0)) + ": " + std::string(r.text(i, 1)));
    read_tables(tx, queue, node);
  }
  if (node.type == "root") return read_lag(c, queue, node);
  pg::Connection provider("node " + node.provider, provider_location, options);
  read_lag(provider, queue, node);
}

std::vector<NodeStatus> as_tree(std::vector<NodeStatus> nodes) {
  std::vector<NodeStatus> out;
  std::set<std::string> placed;
  std::function<void(const std::string&)> place = [&](const std::string& provider) {
    for (auto& node : nodes)
      if (node.provider == provider && placed.insert(node.name).second) {
        out.push_back(node);
        place(node.name);
      }
  };
  place("");
  for (auto& node : nodes)  // fed by a node that isn't a member, or by each other
    if (placed.insert(node.name).second) out.push_back(node);
  return out;
}

}  // namespace

std::vector<NodeStatus> set_status(pg::Connection& local, const std::string& queue, milliseconds limit,
                                   const StopToken& stop) {
  std::vector<NodeStatus> nodes;
  {
    pg::Transaction tx(local, pg::Mode::autocommit);
    if (!node_info(tx, queue)) throw Error("[" + local.label() + "] there is no node of queue " + queue);
    for (auto& member : members(tx, queue)) {
      NodeStatus node;
      node.name = member.name;
      node.location = member.location;
      node.dead = member.dead;
      nodes.push_back(std::move(node));
    }
  }
  for_each_parallel(nodes.size(), [&](std::size_t i) {
    if (nodes[i].dead) {
      nodes[i].type = "dead";
      return;
    }
    try {
      ask(nodes[i], queue, limit, stop);
    } catch (const Error& e) {
      nodes[i].errors.emplace_back(e.what());
    }
  });
  return as_tree(std::move(nodes));
}

std::vector<int> depths(const std::vector<NodeStatus>& nodes) {
  std::map<std::string, int> depth;
  std::vector<int> out;
  for (auto& node : nodes) {
    auto it = depth.find(node.provider);
    out.push_back(depth[node.name] = it == depth.end() ? 0 : it->second + 1);
  }
  return out;
}

}  // namespace skytools::cascade
