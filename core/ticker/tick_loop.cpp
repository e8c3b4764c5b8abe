#include "core/ticker/tick_loop.h"

#include <algorithm>
#include <utility>

#include "core/base/failpoint.h"
#include "core/log/log.h"

namespace skytools::ticker {

namespace {

using std::chrono::seconds;

constexpr milliseconds kBusyPause{5};  // between looks while events flow …
constexpr int kRest = 3;               // … but so many times as long as a look and its ticks take lately
constexpr milliseconds kLinger{500};   // awake after the last event: a NOTIFY costs producers more than a look costs us
constexpr milliseconds kAudiencePeriod{250};  // between looks at the consumers, while events flow
constexpr milliseconds kSilentPause{100};     // asleep, when producers that don't wake us were seen lately
constexpr seconds kSilentMemory{60};
constexpr milliseconds kLongestSight{std::chrono::hours(1)};
constexpr std::size_t kTogether = 100;     // idle ticks in a transaction: each holds three locks to its end
constexpr milliseconds kLockTimeout{500};  // a locked queue may delay the others by this once per attempt
constexpr seconds kTurnPause{2};           // between attempts to become the ticker of the database
/// A transaction takes its first event id just before its transaction id; a tick between both doesn't see it as open.
/// Ticks younger than this are not believed to be complete.
constexpr seconds kSettleAge{1};

/// The pause grows with the quiet time: an event of a transaction that was open for long may wait 5 % of that time.
milliseconds awake_pause(milliseconds quiet, milliseconds worked, milliseconds longest) {
  return std::clamp(quiet / 20, std::min(std::max(kBusyPause, kRest * worked), longest), longest);
}

bool same_sequences(const std::vector<QueueFacts>& a, const std::vector<QueueFacts>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](auto& x, auto& y) { return x.event_seq_oid == y.event_seq_oid; });
}

milliseconds since(Clock::time_point then) { return std::chrono::duration_cast<milliseconds>(Clock::now() - then); }

}  // namespace

std::optional<milliseconds> TickLoop::wanted_lag(const QueueFacts& q, const Periods& periods) const {
  if (!api_.has_skytools()) return std::nullopt;
  if (periods.max_lag == milliseconds(0)) return periods.max_lag;
  auto audience = audiences_.find(q.name);
  return pace(audience == audiences_.end() ? Audience{} : audience->second, periods.max_lag);
}

void TickLoop::run(const SettingsSource& settings) {
  api_.set_session(kLockTimeout);
  if (!take_turn(settings)) return;
  listening_ = pg::listen(connection_, kWakeChannel);
  if (!listening_)
    log::warning("LISTEN does not last on this connection (a pooler?), polling instead",
                 {{"db", connection_.database()}});
  stats_.state = State::serving;
  log::info("ticking", {{"db", connection_.database()}});

  auto connected = Clock::now();
  while (since(connected) < settings().lifetime) {
    Periods periods = settings();
    auto started = Clock::now();
    Round round = look_and_tick(periods);
    worked_ += (std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started) - worked_) / 8;
    if (round.active) {
      last_activity_ = Clock::now();
      if (asleep_) wake_up();
    } else if (!asleep_ && listening_ && since(last_activity_) >= kLinger) {
      asleep_ = api_.try_lock(Lock::asleep);
      if (asleep_) continue;  // look once more: a producer may have finished just before
    }
    if (!sleep(periods, round.next)) return;
  }
}

void TickLoop::wake_up() {
  if (!woken_ && connection_.notifications().empty()) silent_until_ = Clock::now() + kSilentMemory;
  api_.unlock(Lock::asleep);
  asleep_ = false;
}

bool TickLoop::take_turn(const SettingsSource& settings) {
  bool told_recovery = false, told_standby = false;
  for (;;) {
    milliseconds pause = kTurnPause;
    if (api_.in_recovery()) {
      stats_.state = State::recovery;
      if (!std::exchange(told_recovery, true))
        log::info("the server is a standby, waiting for its promotion", {{"db", connection_.database()}});
      pause = std::min<milliseconds>(seconds(5), settings().check);
    } else if (api_.try_lock(Lock::serving)) {
      return true;
    } else {
      stats_.state = State::standby;
      if (!std::exchange(told_standby, true))
        log::info("another ticker serves this database, standing by", {{"db", connection_.database()}});
    }
    if (!connection_.wait_readable(pause)) return false;
    connection_.notifications();  // notices a lost connection
  }
}

bool TickLoop::take_turn_once() {
  const char* reason = api_.in_recovery()             ? "the server is a standby"
                       : api_.try_lock(Lock::serving) ? nullptr
                                                      : "another ticker serves this database";
  if (reason) log::info(std::string(reason) + ", nothing to do", {{"db", connection_.database()}});
  return !reason;
}

int TickLoop::tick_once(Periods periods) {
  api_.set_session(kLockTimeout);
  periods.max_lag = milliseconds(0);  // nothing waits for a later look
  look_and_tick(periods);
  return static_cast<int>(trouble_.size());
}

std::string TickLoop::glance() {
  try {
    return api_.glance(queues_);
  } catch (const pg::SqlError&) {
    if (connection_.lost()) throw;
    return "";  // a queue is gone: look
  }
}

/// Makes the ticks of an idle round, many in a transaction. @return the names of those queues
std::set<std::string> TickLoop::tick_idle_ones(const std::vector<QueueFacts>& queues, const Periods& periods) {
  if (!api_.can_gather()) return {};
  std::vector<const QueueFacts*>
      sound;  // one that cannot be ticked stays due, and would call the others again and again
  for (const QueueFacts& q : queues)
    if (!trouble_.contains(q.name)) sound.push_back(&q);
  std::vector<IdleTick> ticks;
  for (const QueueFacts* q : idle_round(sound))
    ticks.push_back({q->name, lag_limit(*q, wanted_lag(*q, periods)), q->age});
  std::set<std::string> names;
  for (std::span<const IdleTick> rest = ticks; rest.size() > 1;) {
    auto some = rest.first(std::min(rest.size(), kTogether));
    rest = rest.subspan(some.size());
    try {
      stats_.ticks += api_.tick_together(some);
      for (auto& tick : some) names.insert(tick.queue);
    } catch (const pg::SqlError&) {
      if (connection_.lost()) throw;  // otherwise one of them fails: each for itself
    }
  }
  return names;
}

TickLoop::Round TickLoop::look_and_tick(const Periods& periods) {
  if (asleep_ && !glance_.empty() && Clock::now() < look_at_ && glance() == glance_)
    return {.next = std::chrono::ceil<milliseconds>(look_at_ - Clock::now())};
  Round round{.next = kLongestSight};
  glance_ = asleep_ ? glance() : "";
  std::vector<QueueFacts> queues = api_.check();
  bool same = same_sequences(queues, queues_);
  queues_ = queues;
  std::map<std::string, std::int64_t> seen;
  for (const QueueFacts& q : queues) {
    seen[q.name] = q.seq.value_or(0);
    auto before = seen_seq_.find(q.name);
    if (before == seen_seq_.end() || before->second != seen[q.name]) round.active = true;
  }
  // Queues that vanished are forgotten with everything known about them.
  std::erase_if(settled_seq_, [&](auto& entry) { return !seen.contains(entry.first); });
  std::erase_if(trouble_, [&](auto& entry) { return !seen.contains(entry.first); });
  seen_seq_ = std::move(seen);
  if (round.active && Clock::now() >= audiences_due_) {
    audiences_ = api_.audiences();
    audiences_due_ = Clock::now() + kAudiencePeriod;
  }

  std::set<std::string> done = tick_idle_ones(queues, periods);
  bool settled = same && done.empty() && trouble_.empty();
  for (const QueueFacts& q : queues) {
    if (done.contains(q.name)) continue;
    auto trouble = trouble_.find(q.name);
    if (trouble != trouble_.end() && Clock::now() < trouble->second.retry_at) continue;
    try {
      bool ticked = tick_queue(q, periods, round);
      settled = settled && !ticked && settled_seq_.contains(q.name) && settled_seq_[q.name] == q.seq;
      if (trouble != trouble_.end() && ticked) {
        log::info("queue ticks again", {{"db", connection_.database()}, {"queue", q.name}});
        trouble_.erase(trouble);
      }
    } catch (const Stopped&) {
      throw;
    } catch (const Error& e) {
      if (connection_.lost()) throw;
      report_failure(q.name, e);
      settled = false;
    }
  }
  look_at_ = settled ? Clock::now() + round.next : Clock::time_point{};
  return round;
}

/// True when a tick was made.
bool TickLoop::tick_queue(const QueueFacts& q, const Periods& periods, Round& round) {
  auto wanted = wanted_lag(q, periods);
  milliseconds limit = lag_limit(q, wanted);
  Decision decision = decide(q, wanted);
  if (!decision.due && q.new_events() <= 0 && has_late_events(q, limit)) {
    api_.spend_event_id(q);
    round.active = decision.due = true;
  }
  if (!decision.due) {
    round.next = std::min(round.next, decision.wait);
    return false;
  }
  SKYTOOLS_FAILPOINT("ticker.before_tick");
  auto id = api_.tick(q.name, limit);
  if (!id) {  // somebody else ticks it right now
    round.next = std::min(round.next, kBusyPause);
    return false;
  }
  ++stats_.ticks;
  if (log::enabled(log::Level::debug))
    log::debug("tick", {{"db", connection_.database()}, {"queue", q.name}, {"tick_id", *id}});
  return true;
}

/// The event sequence counts an event when it is inserted, a snapshot shows it when its transaction has committed.
/// Events whose transaction was open at the newest tick would wait for the queue's next event or idle tick; here they
/// are looked for.
bool TickLoop::has_late_events(const QueueFacts& q, milliseconds limit) {
  if (!q.tick || !q.seq || q.age < limit) return false;
  auto settled = settled_seq_.find(q.name);
  if (settled != settled_seq_.end() && settled->second == *q.seq) return false;
  if (api_.has_late_events(q)) return true;
  // `older_ended` was read before the look into the tables: all of them have been seen.
  if (q.older_ended && q.age >= kSettleAge) settled_seq_[q.name] = *q.seq;
  return false;
}

void TickLoop::report_failure(const std::string& queue, const Error& error) {
  ++stats_.errors;
  Trouble& trouble = trouble_[queue];
  milliseconds pause = trouble.backoff.next();
  trouble.retry_at = Clock::now() + pause;
  log::warning("queue was not ticked: " + describe(error),
               {{"db", connection_.database()}, {"queue", queue}, {"retry_ms", pause.count()}});
}

/// False on a stop.
bool TickLoop::sleep(const Periods& periods, milliseconds next) {
  bool polling = !listening_ || Clock::now() < silent_until_;
  milliseconds longest = polling ? std::min(kSilentPause, periods.ticker) : periods.ticker;
  milliseconds pause =
      asleep_ ? longest
              : awake_pause(since(last_activity_), std::chrono::duration_cast<milliseconds>(worked_), longest);
  woken_ = false;
  if (!connection_.wait_readable(std::min(pause, next))) return false;
  for (auto& n : connection_.notifications()) woken_ = woken_ || n.channel == kWakeChannel;
  return true;
}

}  // namespace skytools::ticker
