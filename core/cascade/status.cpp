#include "core/cascade/status.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "core/cascade/control.h"
#include "core/cascade/parallel.h"

namespace skytools::cascade {

namespace {

constexpr double kSeenLately = 60;  ///< s; a worker without our lock that read since then may be one of the original

constexpr const char* kLagSql =
    "select extract(epoch from clock_timestamp() - t.tick_time)::float8,"
    " (select max(n.tick_event_seq) from pgq.tick n where n.tick_queue = q.queue_id) - t.tick_event_seq"
    " from pgq.queue q join pgq.tick t on t.tick_queue = q.queue_id where q.queue_name = $1 and t.tick_id = $2";

constexpr const char* kSeenSql =
    "select extract(epoch from clock_timestamp() - s.sub_active)::float8 from pgq.subscription s join pgq.queue q on"
    " q.queue_id = s.sub_queue join pgq.consumer c on c.co_id = s.sub_consumer where q.queue_name = $1 and c.co_name = "
    "$2";

/// Positions in the queue, the lowest first.
constexpr const char* kReadersSql =
    "select c.co_name, s.sub_last_tick, extract(epoch from clock_timestamp() - t.tick_time)::float8 from "
    "pgq.subscription s join pgq.queue q on q.queue_id = s.sub_queue join pgq.consumer c on c.co_id = s.sub_consumer "
    "left join pgq.tick t on t.tick_queue = s.sub_queue and t.tick_id = s.sub_last_tick where q.queue_name = $1 and "
    "s.sub_last_tick is not null order by 2, 1";

/// The lag of a node is what its provider can tell about the tick it has completed.
void read_lag(pg::Connection& at, const std::string& queue, NodeStatus& node) {
  pg::Transaction tx(at, pg::Mode::autocommit);
  if (pg::Result r = tx.exec(kSeenSql, queue, node.worker_name); r.rows()) node.last_seen = r.get<double>(0, 0);
  if (!node.tick) return;
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
  pg::Result r = tx.exec(
      "select table_name, coalesce(merge_state, 'wanted') from londiste.table_info where queue_name = $1 and local and "
      "coalesce(merge_state, '') not in ('ok', '?') order by 1",
      queue);
  for (int i = 0; i < r.rows(); ++i) node.copies.push_back({std::string(r.text(i, 0)), std::string(r.text(i, 1))});
}

void read_watermark(pg::Transaction& tx, const std::string& queue, NodeStatus& node) {
  pg::Result r = tx.exec(kReadersSql, queue);
  for (int i = 0; i < r.rows(); ++i) {
    auto [consumer, tick, age] = r.row<std::string, std::int64_t, std::optional<double>>(i);
    if (consumer == ".global_watermark")
      node.watermark = tick, node.watermark_age = age;
    else if (node.slowest_consumer.empty())
      node.slowest_consumer = consumer;
  }
}

void read_versions(pg::Transaction& tx, NodeStatus& node) {
  node.versions.emplace_back("postgresql", tx.value<std::string>("select current_setting('server_version')"));
  for (std::string schema : {"pgq", "pgq_node", "londiste"}) {
    if (!tx.value<bool>("select to_regproc($1) is not null", schema + ".version")) continue;
    auto version = tx.value<std::optional<std::string>>("select " + schema + ".version()::text");
    node.versions.emplace_back(schema, version.value_or("?"));
  }
}

/// What is left open by a missing lock is decided when the provider was asked, too.
void read_worker(pg::Transaction& tx, const std::string& queue, NodeStatus& node) {
  if (ours_runs(tx, queue))
    node.worker = WorkerSign::running;
  else if (node.type == "root" && tx.value<bool>("select to_regnamespace('skytools') is not null"))
    node.worker = WorkerSign::missing;  // workers of the original need their schemas at least on the root
}

void judge_worker(NodeStatus& node) {
  if (node.worker == WorkerSign::unknown && node.last_seen && *node.last_seen > kSeenLately)
    node.worker = WorkerSign::missing;
}

void ask(NodeStatus& node, const std::string& queue, milliseconds limit, const StopToken& stop) {
  pg::ConnectOptions options{
      .connect_timeout = limit, .statement_timeout = limit, .stop = &stop, .application_name = "skytools status"};
  pg::Connection c("node " + node.name, node.location, options);
  NodeStatus seen = local_status(c, queue);
  if (seen.name != node.name) throw Error("[" + c.label() + "] the node there is called " + seen.name);
  seen.location = node.location;
  node = std::move(seen);
  if (node.type != "root") {
    pg::Connection provider("node " + node.provider, node.provider_location, options);
    read_lag(provider, queue, node);
  }
  judge_worker(node);
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
  std::stable_partition(nodes.begin(), nodes.end(), [](const NodeStatus& n) { return n.type == "root"; });
  place("");
  for (auto& node : nodes)  // fed by a node that isn't a member, or by each other
    if (placed.insert(node.name).second) out.push_back(node);
  return out;
}

}  // namespace

std::string_view to_string(WorkerSign sign) {
  return sign == WorkerSign::running ? "running" : sign == WorkerSign::missing ? "not running" : "unknown";
}

NodeStatus local_status(pg::Connection& c, const std::string& queue) {
  NodeStatus node;
  {
    pg::Transaction tx(c, pg::Mode::autocommit);
    auto info = node_info(tx, queue);
    if (!info) throw Error("[" + c.label() + "] there is no node of queue " + queue);
    node.name = info->name;
    node.type = to_string(info->type);
    node.provider = info->type == NodeType::root ? "" : info->provider_node;
    node.provider_location = info->type == NodeType::root ? "" : info->provider_location;
    node.worker_name = info->worker_name;
    node.tick = info->last_tick;
    node.paused = info->paused;
    node.uptodate = info->uptodate;
    node.attributes = info->attributes;
    for (auto& consumer : consumers(tx, queue))
      if (consumer.error) node.errors.push_back(consumer.name + ": " + *consumer.error);
    for (auto& subscriber : subscribers(tx, queue))
      if (!subscriber.worker.ends_with(".gravestone")) node.subscribers.push_back(subscriber.node);
    read_tables(tx, queue, node);
    read_versions(tx, node);
    read_worker(tx, queue, node);
    if (info->type != NodeType::leaf) read_watermark(tx, queue, node);
    if (info->type == NodeType::root) node.closed = !takes_events(tx, queue);
  }
  // The queue of a branch has the same ticks as its provider's, so it can tell their age, too.
  if (node.type != "leaf") read_lag(c, queue, node);
  if (node.type == "branch") node.last_seen.reset();
  return node;
}

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
  for (auto& node : nodes)
    for (auto& name : node.subscribers)
      for (auto& other : nodes)
        if (other.name == name && other.worker_name.empty()) other.provider = node.name;
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

std::string watermark_holder(const std::vector<NodeStatus>& nodes) {
  constexpr std::string_view kEnd = ".watermark";
  auto named = [&](std::string_view name) {
    return std::find_if(nodes.begin(), nodes.end(), [&](const NodeStatus& n) { return n.name == name; });
  };
  auto at = std::find_if(nodes.begin(), nodes.end(), [](const NodeStatus& n) { return n.type == "root"; });
  for (std::size_t hops = 0; at != nodes.end() && hops <= nodes.size(); ++hops) {
    std::string_view consumer = at->slowest_consumer;
    if (consumer.empty()) return hops ? at->name : "";
    std::string node;
    if (consumer.starts_with('.') && consumer.ends_with(kEnd))
      node = consumer.substr(1, consumer.size() - 1 - kEnd.size());
    for (auto& n : nodes)
      if (n.worker_name == consumer && n.provider == at->name) node = n.name;
    if (node.empty()) return "consumer " + std::string(consumer) + " of " + at->name;
    at = named(node);
    if (at == nodes.end() || at->slowest_consumer.empty()) return node;
  }
  return "";
}

}  // namespace skytools::cascade
