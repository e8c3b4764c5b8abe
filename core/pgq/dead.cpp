#include "core/pgq/dead.h"

namespace skytools::pgq {

std::vector<DeadLetter> dead_letters(pg::Transaction& tx, const std::string& queue,
                                     const std::optional<std::string>& consumer,
                                     const std::optional<std::int64_t>& limit) {
  const std::string iso = ", 'YYYY-MM-DD\"T\"HH24:MI:SS.MSTZH:TZM')";
  pg::Result r = tx.exec("select queue_name, consumer_name, to_char(dead_time" + iso +
                             ", reason, ev_id, ev_txid, to_char(ev_time" + iso +
                             ", ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4"
                             " from skytools.dead_list($1, $2, $3::int)",
                         queue, consumer, limit);
  std::vector<DeadLetter> out;
  for (int i = 0; i < r.rows(); ++i) {
    auto text = [&](int column) { return r.get<std::string>(i, column); };
    out.push_back({.queue = text(0).value_or(""),
                   .consumer = text(1).value_or(""),
                   .time = text(2).value_or(""),
                   .reason = text(3),
                   .event = {.id = r.get<std::int64_t>(i, 4).value_or(0),
                             .txid = r.get<std::int64_t>(i, 5).value_or(0),
                             .time = text(6).value_or(""),
                             .retry = r.get<std::int64_t>(i, 7),
                             .type = text(8).value_or(""),
                             .data = text(9).value_or(""),
                             .data_null = r.null(i, 9),
                             .extra = {text(10), text(11), text(12), text(13)}}});
  }
  return out;
}

}  // namespace skytools::pgq
