#include "core/pgq/api.h"

namespace skytools::pgq {

std::optional<std::string> interval_text(std::optional<milliseconds> d) {
  return d ? std::optional(std::to_string(d->count()) + " milliseconds") : std::nullopt;
}

std::optional<Batch> next_batch(pg::Transaction& tx, const std::string& queue, const std::string& consumer,
                                const BatchShape& shape) {
  pg::Result r = tx.exec(
      "select batch_id, cur_tick_id, prev_tick_id, cur_tick_time, prev_tick_time, cur_tick_event_seq, "
      "prev_tick_event_seq,"
      " extract(epoch from clock_timestamp() - cur_tick_time)::float8"
      " from pgq.next_batch_custom($1, $2, $4, $3, $5)",
      queue, consumer, shape.min_count, interval_text(shape.keep_lag), interval_text(shape.min_interval));
  if (r.rows() != 1 || r.null(0, 0)) return std::nullopt;
  auto [id, tick, prev, time, prev_time, seq, prev_seq, lag] =
      r.row<std::int64_t, std::int64_t, std::int64_t, std::string, std::string, std::int64_t, std::int64_t, double>(0);
  return Batch{id, tick, prev, time, prev_time, seq, prev_seq, lag};
}

bool finish_batch(pg::Transaction& tx, std::int64_t batch) {
  return tx.value<int>("select pgq.finish_batch($1)", batch) == 1;
}

bool register_consumer(pg::Transaction& tx, const std::string& queue, const std::string& consumer,
                       std::optional<std::int64_t> tick) {
  return tx.value<int>("select pgq.register_consumer_at($1, $2, $3)", queue, consumer, tick) == 1;
}

bool unregister_consumer(pg::Transaction& tx, const std::string& queue, const std::string& consumer) {
  return tx.value<int>("select pgq.unregister_consumer($1, $2)", queue, consumer) > 0;
}

std::optional<std::int64_t> consumer_position(pg::Transaction& tx, const std::string& queue,
                                              const std::string& consumer) {
  pg::Result r = tx.exec("select last_tick from pgq.get_consumer_info($1, $2)", queue, consumer);
  return r.rows() ? r.get<std::int64_t>(0, 0) : std::nullopt;
}

std::optional<std::int64_t> force_tick(pg::Transaction& tx, const std::string& queue) {
  return tx.value<std::optional<std::int64_t>>("select pgq.force_tick($1)", queue);
}

std::optional<std::int64_t> newest_tick(pg::Transaction& tx, const std::string& queue) {
  pg::Result r = tx.exec("select last_tick_id from pgq.get_queue_info($1)", queue);
  return r.rows() ? r.get<std::int64_t>(0, 0) : std::nullopt;
}

void external_tick(pg::Transaction& tx, const std::string& queue, std::int64_t tick, const std::string& time,
                   std::int64_t seq) {
  tx.exec("select pgq.ticker($1, $2::bigint, $3::timestamptz, $4::bigint)", queue, tick, time, seq);
}

std::string current_event_table(pg::Transaction& tx, const std::string& queue) {
  return tx.value<std::string>("select pgq.current_event_table($1)", queue);
}

std::string closed_event_table(pg::Transaction& tx, const std::string& queue) {
  // The transaction id before the queue's row: a rotation between the two is then seen in the row.
  tx.exec("select pg_catalog.txid_current()");
  return tx.value<std::string>("select queue_data_pfx || '_' || queue_cur_table from pgq.queue where queue_name = $1",
                               queue);
}

void insert_event(pg::Transaction& tx, const std::string& queue, const std::string& type, const std::string& data,
                  const std::optional<std::string>& extra1) {
  tx.exec("select pgq.insert_event($1, $2, $3, $4, null, null, null)", queue, type, data, extra1);
}

std::optional<std::string> tick_channel(pg::Transaction& tx, const std::string& queue) {
  pg::Result r = tx.exec("select 'pgq_tick_' || queue_id from pgq.queue where queue_name = $1", queue);
  return r.rows() ? r.get<std::string>(0, 0) : std::nullopt;
}

}  // namespace skytools::pgq
