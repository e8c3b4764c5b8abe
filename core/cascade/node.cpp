#include "core/cascade/node.h"

#include "core/base/strings.h"
#include "core/log/log.h"

namespace skytools::cascade {

NodeType parse_node_type(std::string_view text) {
  for (auto type : {NodeType::root, NodeType::branch, NodeType::leaf})
    if (to_string(type) == text) return type;
  throw Error("unknown node type '" + std::string(text) + "'");
}

std::string_view to_string(NodeType type) {
  switch (type) {
    case NodeType::root:
      return "root";
    case NodeType::branch:
      return "branch";
    case NodeType::leaf:
      return "leaf";
  }
  return "?";
}

int run_command(pg::Transaction& tx, const std::string& call, std::span<const pg::Param> params) {
  pg::Result r = tx.exec_list("select ret_code, ret_note from " + call, params);
  int worst = 0;
  for (int i = 0; i < r.rows(); ++i) {
    auto [code, note] = r.row<int, std::optional<std::string>>(i);
    std::string text = "[" + tx.connection().label() + "] " + note.value_or("");
    if (code >= 400) throw Error(text);
    if (code >= 300)
      log::warning(text);
    else
      log::debug(text, {{"code", code}});
    worst = std::max(worst, code);
  }
  return worst;
}

std::optional<NodeInfo> node_info(pg::Transaction& tx, const std::string& queue) {
  pg::Result r = tx.exec(
      "select node_type, node_name, global_watermark, local_watermark, provider_node, provider_location, "
      "combined_queue, worker_name, worker_paused, worker_uptodate, worker_last_tick, node_attrs,"
      // The column is younger than the function.
      " array_to_string(array(select n.queue_name from pgq_node.node_info n where n.combined_queue = $1 order by 1), "
      "',')"
      " from pgq_node.get_node_info($1) where ret_code < 400",
      queue);
  if (r.rows() == 0) return std::nullopt;
  using Text = std::optional<std::string>;
  using Number = std::optional<std::int64_t>;
  using Flag = std::optional<bool>;
  auto [type, name, global, local, provider, location, combined, worker, paused, uptodate, tick, attributes, parts] =
      r.row<std::string, std::string, Number, Number, Text, Text, Text, Text, Flag, Flag, Number, Text, std::string>(0);
  return NodeInfo{parse_node_type(type),
                  name,
                  global,
                  local,
                  provider.value_or(""),
                  location.value_or(""),
                  combined.value_or(""),
                  worker.value_or(""),
                  paused.value_or(false),
                  uptodate.value_or(false),
                  tick,
                  attributes.value_or(""),
                  split(parts, ',')};
}

WorkerState worker_state(pg::Transaction& tx, const std::string& queue) {
  pg::Result r = tx.exec(
      "select ret_code, ret_note, node_type, node_name, completed_tick, provider_node, provider_location, paused, "
      "uptodate,"
      " cur_error, worker_name, local_watermark, local_queue_top, combined_queue, combined_type from "
      "pgq_node.get_worker_state($1)",
      queue);
  if (r.rows() != 1 || r.get<int>(0, 0).value_or(0) >= 400)
    throw Error("[" + tx.connection().label() + "] " +
                (r.rows() ? std::string(r.text(0, 1)) : "no state for queue " + queue));
  using Text = std::optional<std::string>;
  using Number = std::optional<std::int64_t>;
  auto [code, note, type, node, tick, provider, location, paused, uptodate, error, worker, local, top, combined,
        combined_type] = r.row<int, Text, std::string, std::string, Number, Text, Text, bool, bool, Text, std::string,
                               Number, Number, Text, Text>(0);
  if (!tick) throw Error("[" + tx.connection().label() + "] the worker of queue " + queue + " has no position");
  return WorkerState{parse_node_type(type),
                     node,
                     *tick,
                     provider.value_or(""),
                     location.value_or(""),
                     paused,
                     uptodate,
                     error,
                     worker,
                     local,
                     top,
                     combined.value_or(""),
                     combined_type ? std::optional(parse_node_type(*combined_type)) : std::nullopt};
}

WorkerState cascaded_consumer_state(pg::Transaction& tx, const std::string& queue, const std::string& consumer) {
  pg::Result r = tx.exec(
      "select ret_code, ret_note, node_type, node_name, completed_tick, provider_node, provider_location, paused, "
      "uptodate, cur_error from pgq_node.get_consumer_state($1, $2)",
      queue, consumer);
  if (r.rows() != 1 || r.get<int>(0, 0).value_or(0) >= 400)
    throw Error("[" + tx.connection().label() + "] " +
                (r.rows() ? std::string(r.text(0, 1)) : "no state for consumer " + consumer));
  using Text = std::optional<std::string>;
  auto [code, note, type, node, tick, provider, location, paused, uptodate, error] =
      r.row<int, Text, std::string, std::string, std::int64_t, Text, Text, bool, bool, Text>(0);
  return WorkerState{.type = parse_node_type(type),
                     .node = node,
                     .completed_tick = tick,
                     .provider_node = provider.value_or(""),
                     .provider_location = location.value_or(""),
                     .paused = paused,
                     .uptodate = uptodate,
                     .error = error,
                     .worker_name = consumer,
                     .local_watermark = {},
                     .queue_top = {},
                     .combined_queue = {},
                     .combined_type = {}};
}

StoredPosition stored_position(pg::Transaction& tx, const std::string& queue, const std::string& consumer, bool lock) {
  const std::string columns = "select last_tick_id, paused, provider_node from pgq_node.local_state where ";
  const std::string key = std::string("queue_name = $1 and consumer_name = $2") + (lock ? " for no key update" : "");
  // Where skytools.keep_row_place() says: by the key one walks through all old versions while something holds xmin.
  pg::Result r =
      tx.exec(columns +
                  "ctid = nullif(current_setting('skytools.row_' || md5('local_state ' || $1::text || '/' || "
                  "$2::text), true), '')::tid and " +
                  key,
              queue, consumer);
  if (r.rows() == 0) r = tx.exec(columns + key, queue, consumer);
  if (r.rows() == 0)
    throw Error("[" + tx.connection().label() + "] unknown consumer " + consumer + " of queue " + queue);
  auto [completed, paused, provider] = r.row<std::int64_t, bool, std::string>(0);
  return {completed, paused, provider};
}

std::optional<ConsumerState> consumer_state(pg::Transaction& tx, const std::string& queue,
                                            const std::string& consumer) {
  pg::Result r = tx.exec(
      "select completed_tick, provider_node, paused, uptodate from pgq_node.get_consumer_state($1, $2) where ret_code "
      "< 400",
      queue, consumer);
  if (r.rows() == 0) return std::nullopt;
  auto [tick, provider, paused, uptodate] = r.row<std::int64_t, std::string, bool, bool>(0);
  return ConsumerState{tick, provider, paused, uptodate};
}

bool takes_events(pg::Transaction& tx, const std::string& queue) {
  return tx.value<bool>("select exists (select 1 from pgq.queue where queue_name = $1 and not queue_disable_insert)",
                        queue);
}

std::optional<std::int64_t> tick_time(pg::Transaction& tx, const std::string& queue, std::int64_t tick) {
  pg::Result r = tx.exec(
      "select (extract(epoch from t.tick_time) * 1000000)::bigint from pgq.tick t join pgq.queue q"
      " on q.queue_id = t.tick_queue where q.queue_name = $1 and t.tick_id = $2",
      queue, tick);
  return r.rows() ? r.get<std::int64_t>(0, 0) : std::nullopt;
}

std::vector<CascadedConsumer> consumers(pg::Transaction& tx, const std::string& queue) {
  pg::Result r = tx.exec(
      "select consumer_name, provider_node, last_tick_id, paused, uptodate, cur_error from "
      "pgq_node.get_consumer_info($1)",
      queue);
  std::vector<CascadedConsumer> out;
  for (int i = 0; i < r.rows(); ++i) {
    auto [name, provider, tick, paused, uptodate, error] =
        r.row<std::string, std::string, std::int64_t, bool, bool, std::optional<std::string>>(i);
    out.push_back({name, provider, tick, paused, uptodate, error});
  }
  return out;
}

std::vector<Member> members(pg::Transaction& tx, const std::string& queue) {
  pg::Result r =
      tx.exec("select node_name, node_location, dead from pgq_node.get_queue_locations($1) order by 1", queue);
  std::vector<Member> out;
  for (int i = 0; i < r.rows(); ++i) {
    auto [name, location, dead] = r.row<std::string, std::string, bool>(i);
    out.push_back({name, location, dead});
  }
  return out;
}

std::vector<Subscriber> subscribers(pg::Transaction& tx, const std::string& queue) {
  pg::Result r = tx.exec("select node_name, worker_name, node_watermark from pgq_node.get_subscriber_info($1)", queue);
  std::vector<Subscriber> out;
  for (int i = 0; i < r.rows(); ++i) {
    auto [node, worker, watermark] = r.row<std::string, std::string, std::optional<std::int64_t>>(i);
    out.push_back({node, worker, watermark});
  }
  return out;
}

std::unique_ptr<pg::Connection> connect_root(pg::Connection& from, const std::string& queue,
                                             const pg::ConnectOptions& options) {
  constexpr int kMaxDepth = 100;  // more hops mean a circle
  std::unique_ptr<pg::Connection> at;
  for (int hops = 0; hops <= kMaxDepth; ++hops) {
    pg::Connection& here = at ? *at : from;
    std::optional<NodeInfo> info;
    {
      pg::Transaction tx(here, pg::Mode::autocommit);
      info = node_info(tx, queue);
    }
    if (!info) throw Error("[" + here.label() + "] there is no node of queue " + queue);
    if (info->type == NodeType::root) return at;
    at = std::make_unique<pg::Connection>("node " + info->provider_node, info->provider_location, options);
  }
  throw Error("the providers of queue " + queue + " form a circle");
}

void store_error(const std::string& db, const std::string& queue, const std::string& consumer, const std::string& text,
                 const StopToken& stop) {
  constexpr milliseconds kLimit(3000);
  try {
    pg::Connection c("db", db, {.connect_timeout = kLimit, .statement_timeout = kLimit, .stop = &stop});
    pg::Transaction tx(c, pg::Mode::autocommit);
    std::string name = consumer;
    if (name.empty())
      if (auto info = node_info(tx, queue)) name = info->worker_name;
    run_command(tx, "pgq_node.set_consumer_error($1, $2, $3)", {queue, name, text});
  } catch (const Error& e) {
    log::debug("the error could not be stored", {{"error", std::string(e.what())}});
  }
}

void prepare_session(pg::Connection& c, const std::string& encoding) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  tx.exec(
      "select set_config('datestyle', 'ISO, MDY', false), set_config('intervalstyle', 'postgres', false),"
      " set_config('extra_float_digits', '3', false), set_config('bytea_output', 'hex', false),"
      " set_config('xmloption', 'content', false), set_config('standard_conforming_strings', 'on', false),"
      " case when $1 <> '' then set_config('client_encoding', $1, false) end,"
      // Limits meant for people's sessions would end a long copy or batch again and again; newer ones only where known.
      " (select count(set_config(name, '0', false)) from pg_catalog.pg_settings where name in ('statement_timeout',"
      "   'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout'))",
      encoding);
}

}  // namespace skytools::cascade
