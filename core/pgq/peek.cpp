#include "core/pgq/peek.h"

#include "core/base/quote.h"

namespace skytools::pgq {

namespace {

/// Ticks that end the batches after `from`, oldest first. An open batch may span several.
pg::Result ticks_after(pg::Transaction& tx, const QueueInfo& queue, std::int64_t from) {
  constexpr int kAtOnce = 1000;
  return tx.exec(
      "select tick_id from pgq.tick where tick_queue = $1 and tick_id > $2 order by tick_queue, tick_id limit " +
          std::to_string(kAtOnce),
      queue.id, from);
}

/// The events of one batch, by the rule every PgQ batch follows: seen by its last tick and not by the one before. The
/// lower bound of the transaction id is what the index can use.
std::string batch_sql(const QueueInfo& queue) {
  return "select e.ev_id, to_char(e.ev_time, 'YYYY-MM-DD\"T\"HH24:MI:SS.MSTZH:TZM'), e.ev_txid, e.ev_retry, e.ev_type,"
         " e.ev_data, e.ev_extra1, e.ev_extra2, e.ev_extra3, e.ev_extra4"
         "  from pgq.tick f join pgq.tick t on t.tick_queue = f.tick_queue and t.tick_id = $3"
         "  join " +
         TableName::parse(queue.data_prefix).sql() +
         " e on e.ev_txid >= txid_snapshot_xmin(f.tick_snapshot) and e.ev_txid < txid_snapshot_xmax(t.tick_snapshot)"
         " where f.tick_queue = $1 and f.tick_id = $2"
         "   and txid_visible_in_snapshot(e.ev_txid, t.tick_snapshot)"
         "   and not txid_visible_in_snapshot(e.ev_txid, f.tick_snapshot)"
         "   and (e.ev_owner is null or e.ev_owner = $4)"
         " order by e.ev_id limit $5";
}

StoredEvent event_of(const pg::Result& r, int i) {
  auto text = [&](int column) { return r.get<std::string>(i, column); };
  StoredEvent e;
  e.type = text(4), e.data = text(5);
  e.extra = {text(6), text(7), text(8), text(9)};
  e.id = r.get<std::int64_t>(i, 0).value_or(0);
  e.time = text(1).value_or("");
  e.txid = r.get<std::int64_t>(i, 2).value_or(0);
  e.retry = r.get<std::int64_t>(i, 3);
  return e;
}

}  // namespace

std::int64_t peek(pg::Transaction& tx, const QueueInfo& queue, const ConsumerInfo& consumer, std::int64_t limit,
                  const std::function<void(const PeekedEvent&)>& give) {
  if (!consumer.last_tick) return 0;
  const std::string sql = batch_sql(queue);
  std::int64_t from = *consumer.last_tick, given = 0;
  auto give_batch = [&](std::int64_t to) {
    pg::Result r = tx.exec(sql, queue.id, from, to, consumer.subscription, limit - given);
    for (int i = 0; i < r.rows(); ++i) give({event_of(r, i), to});
    given += r.rows();
    from = to;
  };
  if (consumer.next_tick) give_batch(*consumer.next_tick);
  while (given < limit) {
    pg::Result ticks = ticks_after(tx, queue, from);
    if (!ticks.rows()) break;
    for (int i = 0; i < ticks.rows() && given < limit; ++i) give_batch(ticks.get<std::int64_t>(i, 0).value());
  }
  return given;
}

}  // namespace skytools::pgq
