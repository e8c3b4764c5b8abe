#include "core/pgq/dead.h"

#include "core/base/strings.h"

namespace skytools::pgq {

namespace {

constexpr const char* kChosen =
    " from skytools.dead_list($1, $2) where $3::bigint[] is null or ev_id = any ($3::bigint[])";

std::string iso(const std::string& column) { return "to_char(" + column + ", 'YYYY-MM-DD\"T\"HH24:MI:SS.MSTZH:TZM')"; }

}  // namespace

std::optional<std::string> array_of(const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return std::nullopt;
  std::vector<std::string> parts;
  for (auto id : ids) parts.push_back(std::to_string(id));
  return "{" + join(parts, ",") + "}";
}

std::vector<DeadLetter> dead_letters(pg::Transaction& tx, const std::string& queue, const DeadChoice& choice) {
  static const std::string sql =
      "select queue_name, consumer_name, " + iso("dead_time") + ", reason, ev_id, ev_txid, " + iso("ev_time") +
      ", ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4" + kChosen + " limit $4::bigint";
  pg::Result r = tx.exec(sql, queue, choice.consumer, array_of(choice.ids), choice.limit);
  std::vector<DeadLetter> out;
  for (int i = 0; i < r.rows(); ++i) {
    auto text = [&](int column) { return r.get<std::string>(i, column); };
    DeadLetter l;
    l.queue = text(0).value_or(""), l.consumer = text(1).value_or("");
    l.time = text(2).value_or(""), l.reason = text(3);
    l.event.id = r.get<std::int64_t>(i, 4).value_or(0);
    l.event.txid = r.get<std::int64_t>(i, 5).value_or(0);
    l.event.time = text(6).value_or("");
    l.event.retry = r.get<std::int64_t>(i, 7);
    l.event.type = text(8), l.event.data = text(9);
    l.event.extra = {text(10), text(11), text(12), text(13)};
    out.push_back(std::move(l));
  }
  return out;
}

std::int64_t count_dead_letters(pg::Transaction& tx, const std::string& queue, const DeadChoice& choice) {
  return tx.value<std::int64_t>(std::string("select count(*)") + kChosen, queue, choice.consumer, array_of(choice.ids));
}

}  // namespace skytools::pgq
