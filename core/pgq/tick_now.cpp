#include "core/pgq/tick_now.h"

#include "core/base/error.h"
#include "core/pgq/api.h"

namespace skytools::pgq {

namespace {

constexpr milliseconds kPoll(200);  ///< the net below the notifications

/// The oldest tick after `after` that sees all that the snapshot sees; the newest one tells where to look next.
std::optional<std::int64_t> covering_tick(pg::Transaction& tx, const QueueInfo& queue, std::int64_t after,
                                          const std::string& snapshot) {
  pg::Result r = tx.exec(
      "select tick_id from pgq.tick where tick_queue = $1 and tick_id > $2"
      "   and txid_snapshot_xmax(tick_snapshot) >= txid_snapshot_xmax($3::txid_snapshot)"
      "   and not exists (select from txid_snapshot_xip(tick_snapshot) x"
      "                    where txid_visible_in_snapshot(x, $3::txid_snapshot))"
      " order by tick_queue, tick_id limit 1",
      queue.id, after, snapshot);
  return r.rows() ? r.get<std::int64_t>(0, 0) : std::nullopt;
}

[[noreturn]] void give_up(const pg::Connection& c, const QueueInfo& queue, const Ticker& ticker) {
  throw TimedOut("[" + c.label() + "] queue " + queue.name + " got no tick; " +
                 (ticker.serving
                      ? "a ticker serves the database: look at its log"
                      : "is a ticker running? start one with: skytools ticker --db \"" + c.address() + "\""));
}

}  // namespace

Ticker ticker_of(pg::Transaction& tx) {
  Ticker out;
  out.serving = tx.value<bool>(
      "select exists (select from pg_locks where locktype = 'advisory' and granted and objsubid = 2"
      "   and classid = 1397446516 and objid = 1"
      "   and database = (select oid from pg_database where datname = current_database()))");
  if (has_function(tx, "skytools.tick(text,interval)") && may_call(tx, "skytools.tick(text,interval)"))
    out.ourselves =
        tx.value<bool>("select exists (select from skytools.module where name = 'pgq' and origin = 'skytools')");
  return out;
}

std::vector<Step> tick_steps(const QueueInfo& queue, const Ticker& ticker) {
  if (ticker.ourselves) return {step::spend_event_id(queue.name, queue.event_seq), step::tick(queue.name)};
  return {step::force_tick(queue.name)};
}

void require_tickable(const pg::Connection& c, const QueueInfo& queue) {
  std::string name = "[" + c.label() + "] queue " + queue.name;
  if (queue.external) throw Error(name + " gets its ticks from its provider: make the tick on the root");
  if (queue.paused)
    throw Error(name + " is paused, no ticks are made; 'skytools queue resume " + queue.name + "' ends that");
}

std::int64_t tick_now(pg::Connection& c, const std::string& name, const Deadline& deadline) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  QueueInfo queue = queue_named(tx, name);
  require_tickable(c, queue);
  Ticker ticker = ticker_of(tx);
  pg::listen(c, "pgq_tick_" + std::to_string(queue.id));
  std::int64_t after = queue.last_tick.value_or(0);
  auto snapshot = tx.value<std::string>("select txid_current_snapshot()");
  // Where events wait for a tick, one is due already.
  if (ticker.ourselves) run(tx, step::tick(name));
  for (std::int64_t asked = -1;;) {
    if (auto tick = covering_tick(tx, queue, after, snapshot)) return *tick;
    if (deadline.passed()) give_up(c, queue, ticker);
    // Asked once, and again when a tick came that shows too little.
    std::int64_t newest = newest_tick(tx, name).value_or(0);
    if (ticker.ourselves || newest > asked)
      for (auto& step : tick_steps(queue, ticker)) run(tx, step);
    asked = newest;
    if (auto tick = covering_tick(tx, queue, after, snapshot)) return *tick;
    if (!c.wait_readable(deadline.left(kPoll))) throw Stopped();
    c.notifications();
  }
}

}  // namespace skytools::pgq
