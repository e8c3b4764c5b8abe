#include "core/pgq/consumers.h"

namespace skytools::pgq {

std::vector<ConsumerInfo> consumers(pg::Transaction& tx, const std::string& queue) {
  std::optional<std::string> only = queue.empty() ? std::nullopt : std::optional(queue);
  if (only && tx.exec("select 1 from pgq.get_queue_info($1)", queue).rows() == 0)
    throw Error("[" + tx.connection().label() + "] queue '" + queue + "' does not exist");
  pg::Result r = tx.exec(
      "select queue_name, consumer_name, (extract(epoch from lag) * 1000)::bigint,"
      " (extract(epoch from last_seen) * 1000)::bigint, last_tick, current_batch, next_tick, pending_events"
      " from pgq.get_consumer_info($1, null) order by 1, 2",
      only);
  std::vector<ConsumerInfo> out;
  auto ms = [](std::optional<std::int64_t> n) { return n ? std::optional(milliseconds(*n)) : std::nullopt; };
  using Number = std::optional<std::int64_t>;
  for (int i = 0; i < r.rows(); ++i) {
    auto [q, name, lag, seen, last, batch, next, pending] =
        r.row<std::string, std::string, Number, Number, Number, Number, Number, Number>(i);
    out.push_back({q, name, ms(lag), ms(seen), last, batch, next, pending});
  }
  return out;
}

}  // namespace skytools::pgq
