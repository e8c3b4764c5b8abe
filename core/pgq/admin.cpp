#include "core/pgq/admin.h"

#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::pgq {

namespace {

/// An interval column as milliseconds.
std::string in_ms(const std::string& interval) { return "(extract(epoch from " + interval + ") * 1000)::bigint"; }

std::optional<milliseconds> ms(const std::optional<std::int64_t>& value) {
  return value ? std::optional(milliseconds(*value)) : std::nullopt;
}

[[noreturn]] void unknown(pg::Transaction& tx, const std::string& what, const std::string& name,
                          const std::vector<std::string>& known) {
  std::string near = closest(name, known), text = "[" + tx.connection().label() + "] " + what;
  if (!near.empty()) text += "; did you mean '" + near + "'?";
  throw Error(text);
}

using Int = std::int64_t;
using MaybeInt = std::optional<std::int64_t>;

QueueInfo queue_of(const pg::Result& r, int i) {
  auto [name, id, prefix, seq, tables, current, period, rotated, external, paused, count, lag, idle, ticker_lag, fresh,
        tick] = r.row<std::string, Int, std::string, std::string, int, int, Int, Int, bool, bool, int, Int, Int,
                      MaybeInt, MaybeInt, MaybeInt>(i);
  return {.name = name,
          .id = id,
          .data_prefix = prefix,
          .event_seq = seq,
          .tables = tables,
          .current_table = current,
          .rotation_period = milliseconds(period),
          .rotated_ago = milliseconds(rotated),
          .external = external,
          .paused = paused,
          .max_count = count,
          .max_lag = milliseconds(lag),
          .idle_period = milliseconds(idle),
          .ticker_lag = ms(ticker_lag),
          .new_events = fresh,
          .last_tick = tick};
}

ConsumerInfo consumer_of(const pg::Result& r, int i) {
  auto [queue, name, subscription, lag, seen, last, batch, next, pending, paused] =
      r.row<std::string, std::string, Int, MaybeInt, Int, MaybeInt, MaybeInt, MaybeInt, MaybeInt, bool>(i);
  return {queue, name, subscription, ms(lag), milliseconds(seen), last, batch, next, pending, paused};
}

}  // namespace

void use_utf8(pg::Connection& c) {
  pg::Transaction(c, pg::Mode::autocommit)
      .exec(
          "select set_config('client_encoding',"
          " case current_setting('server_encoding') when 'SQL_ASCII' then 'SQL_ASCII' else 'UTF8' end, false)");
}

Versions versions(pg::Transaction& tx) {
  auto [server, pgq] =
      tx.one<std::string, std::optional<std::string>>("select current_setting('server_version'), pgq.version()");
  return {server, pgq};
}

std::vector<QueueInfo> queues(pg::Transaction& tx, const std::optional<std::string>& name) {
  static const std::string sql =
      "select i.queue_name, q.queue_id, q.queue_data_pfx, q.queue_event_seq, i.queue_ntables, i.queue_cur_table, " +
      in_ms("i.queue_rotation_period") + ", " + in_ms("now() - i.queue_switch_time") +
      ", i.queue_external_ticker, i.queue_ticker_paused, i.queue_ticker_max_count, " + in_ms("i.queue_ticker_max_lag") +
      ", " + in_ms("i.queue_ticker_idle_period") + ", " + in_ms("i.ticker_lag") +
      ", i.ev_new, i.last_tick_id from pgq.get_queue_info($1) i join pgq.queue q on q.queue_name = i.queue_name"
      " order by i.queue_name";
  pg::Result r = tx.exec(sql, name);
  std::vector<QueueInfo> out;
  for (int i = 0; i < r.rows(); ++i) out.push_back(queue_of(r, i));
  return out;
}

QueueInfo queue_named(pg::Transaction& tx, const std::string& name) {
  auto found = queues(tx, name);
  if (!found.empty()) return found[0];
  std::vector<std::string> known;
  for (auto& q : queues(tx)) known.push_back(q.name);
  unknown(tx, "there is no queue '" + name + "'", name, known);
}

std::vector<ConsumerInfo> consumers(pg::Transaction& tx, const std::optional<std::string>& queue,
                                    const std::optional<std::string>& consumer) {
  bool can_pause = has_function(tx, "skytools.consumer_paused(text,text)");
  std::string paused = can_pause ? "skytools.consumer_paused(i.queue_name, i.consumer_name)" : "false";
  pg::Result r =
      tx.exec("select i.queue_name, i.consumer_name, s.sub_id, " + in_ms("i.lag") + ", " + in_ms("i.last_seen") +
                  ", i.last_tick, i.current_batch, i.next_tick, i.pending_events, " + paused +
                  " from pgq.get_consumer_info($1, $2) i"
                  " join pgq.queue q on q.queue_name = i.queue_name"
                  " join pgq.consumer c on c.co_name = i.consumer_name"
                  " join pgq.subscription s on s.sub_queue = q.queue_id and s.sub_consumer = c.co_id"
                  " order by i.queue_name, i.consumer_name",
              queue, consumer);
  std::vector<ConsumerInfo> out;
  for (int i = 0; i < r.rows(); ++i) out.push_back(consumer_of(r, i));
  return out;
}

std::optional<ConsumerInfo> find_consumer(pg::Transaction& tx, const std::string& queue, const std::string& consumer) {
  auto found = consumers(tx, queue, consumer);
  return found.empty() ? std::nullopt : std::optional(found[0]);
}

ConsumerInfo consumer_named(pg::Transaction& tx, const std::string& queue, const std::string& consumer) {
  queue_named(tx, queue);
  if (auto found = find_consumer(tx, queue, consumer)) return *found;
  std::vector<std::string> known;
  for (auto& c : consumers(tx, queue)) known.push_back(c.name);
  unknown(tx, "queue " + queue + " has no consumer '" + consumer + "'", consumer, known);
}

std::vector<TableSize> table_sizes(pg::Transaction& tx, const QueueInfo& queue) {
  pg::Result r = tx.exec(
      "select $1 || '_' || i, coalesce(pg_total_relation_size(to_regclass(pgq.quote_fqname($1 || '_' || i))), 0)"
      " from generate_series(0, $2::int - 1) i",
      queue.data_prefix, queue.tables);
  std::vector<TableSize> out;
  for (int i = 0; i < r.rows(); ++i) {
    auto [name, bytes] = r.row<std::string, std::int64_t>(i);
    out.push_back({name, bytes});
  }
  return out;
}

std::optional<Policy> policy(pg::Transaction& tx, const QueueInfo& queue) {
  if (!has_function(tx, "skytools.set_queue_policy(text,text,text)")) return std::nullopt;
  pg::Result r = tx.exec("select retry_limit, " + in_ms("retry_delay") + ", retry_backoff, " +
                             in_ms("retry_delay_max") + " from skytools.queue_policy where queue_id = $1",
                         queue.id);
  if (!r.rows()) return Policy{};
  auto [limit, delay, backoff, delay_max] = r.row<MaybeInt, MaybeInt, std::optional<double>, MaybeInt>(0);
  return Policy{limit, ms(delay), backoff, ms(delay_max)};
}

void refuse_cascade(pg::Transaction& tx, const std::string& queue, const std::optional<std::string>& consumer) {
  if (!tx.value<bool>("select to_regclass('pgq_node.subscriber_info') is not null")) return;
  pg::Result r = tx.exec(
      "select node_name from pgq_node.node_info"
      " where queue_name = $1 and coalesce($2, '.global_watermark') = '.global_watermark'"
      " union all select subscriber_node from pgq_node.subscriber_info"
      " where queue_name = $1 and $2 in (worker_name, watermark_name)",
      queue, consumer);
  if (!r.rows()) return;
  std::string node(r.text(0, 0)), what = "queue " + queue;
  if (consumer) what = "consumer " + *consumer + " of " + what;
  throw Refused("[" + tx.connection().label() + "] " + what + " belongs to cascade node " + node +
                "; drop the node first: skytools cascade drop-node " + node + " -Q " + queue);
}

bool has_function(pg::Transaction& tx, const std::string& signature) {
  return tx.value<bool>("select to_regprocedure($1) is not null", signature);
}

bool may_call(pg::Transaction& tx, const std::string& signature) {
  return tx.value<bool>("select coalesce(has_function_privilege(to_regprocedure($1), 'execute'), false)", signature);
}

}  // namespace skytools::pgq
