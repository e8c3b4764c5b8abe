#include "core/pgq/position.h"

#include <algorithm>

#include "core/base/duration.h"
#include "core/base/error.h"

namespace skytools::pgq {

namespace {

const std::string kColumns =
    "select tick_id, to_char(tick_time, 'YYYY-MM-DD\"T\"HH24:MI:SS.MSTZH:TZM'), tick_event_seq from pgq.tick"
    " where tick_queue = $1 ";

std::optional<Position> position_of(const pg::Result& r) {
  if (!r.rows()) return std::nullopt;
  auto [tick, time, sequence] = r.row<std::int64_t, std::string, std::int64_t>(0);
  return Position{tick, time, sequence};
}

std::string text(const Position& p) { return std::to_string(p.tick) + " (" + p.time + ")"; }

/// "; its ticks reach from 3 (…) to 9 (…)"
std::string reach(pg::Transaction& tx, const QueueInfo& queue) {
  auto oldest = position_of(tx.exec(kColumns + "order by tick_queue, tick_id limit 1", queue.id));
  auto newest = position_of(tx.exec(kColumns + "order by tick_queue desc, tick_id desc limit 1", queue.id));
  if (!oldest || !newest) return "; it has no ticks: run skytools ticker";
  return "; its ticks reach from " + text(*oldest) + " to " + text(*newest);
}

[[noreturn]] void missing(pg::Transaction& tx, const QueueInfo& queue, const std::string& what) {
  throw Error("[" + tx.connection().label() + "] queue " + queue.name + " has no tick " + what + reach(tx, queue));
}

std::optional<milliseconds> as_duration(const std::string& text) {
  try {
    return parse_duration(text);
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

/// The server's reading of a time; a duration is so long ago.
std::string read_time(pg::Transaction& tx, const std::string& time) {
  if (auto ago = as_duration(time)) return tx.value<std::string>("select now() - $1 * interval '1 ms'", ago->count());
  try {
    return tx.value<std::string>("select $1::timestamptz", time);
  } catch (const pg::SqlError& e) {
    if (!e.sqlstate().starts_with("22")) throw;
    throw UsageError("neither a time nor a duration: '" + time + "'");
  }
}

}  // namespace

Position find_position(pg::Transaction& tx, const QueueInfo& queue, const std::string& where) {
  bool digits = !where.empty() && std::all_of(where.begin(), where.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return position_at_time(tx, queue, where);
  if (where.size() > 18) missing(tx, queue, where);
  return position_of_tick(tx, queue, pg::parse<std::int64_t>(where));
}

Position position_at_time(pg::Transaction& tx, const QueueInfo& queue, const std::string& time) {
  std::string when = read_time(tx, time);
  auto found = position_of(tx.exec(
      kColumns + "and tick_time <= $2::timestamptz order by tick_queue desc, tick_id desc limit 1", queue.id, when));
  if (!found) missing(tx, queue, "at or before " + when);
  return *found;
}

Position position_of_tick(pg::Transaction& tx, const QueueInfo& queue, std::int64_t tick) {
  auto found = position_of(tx.exec(kColumns + "and tick_id = $2", queue.id, tick));
  if (!found) missing(tx, queue, std::to_string(tick));
  return *found;
}

}  // namespace skytools::pgq
