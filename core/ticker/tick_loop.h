#pragma once
#include <map>
#include <set>
#include <string>

#include "core/base/backoff.h"
#include "core/base/deadline.h"
#include "core/ticker/api.h"
#include "core/ticker/options.h"
#include "core/ticker/stats.h"

namespace skytools::ticker {

/// Ticks the queues of one database through one connection, for as long as that connection lives.
///
/// Awake: looks every few milliseconds while events flow, more and more rarely after them. Asleep: holds Lock::asleep,
/// so that the first producer sends NOTIFY skytools_wake; a slow look finds what came without (producers that don't
/// know the call, idle ticks). It falls asleep only when it gets the lock at once, which no open transaction of a
/// producer shares, and looks once more after it got it. So no event is left behind between the last look and the
/// sleep.
class TickLoop {
 public:
  TickLoop(pg::Connection& connection, Stats& stats) : connection_(connection), api_(connection), stats_(stats) {}

  /// Until the connection has served its lifetime, or a stop. Stands by while the server is in recovery or another
  /// ticker serves the database. `settings()` is asked before each look. @throws SqlError  reconnect; SchemaMissing;
  /// Stopped
  void run(const SettingsSource& settings);
  /// For --once: may this process tick? False on a standby, and while another ticker serves the database.
  bool take_turn_once();
  /// One look: ticks every queue that has new events, and those whose idle tick is due. @return queues that failed
  int tick_once(Periods periods);

 private:
  /// What one look, or a glance, and its ticks brought.
  struct Round {
    bool active = false;   ///< an event sequence moved, or late events were found
    milliseconds next{0};  ///< until the next tick is due if nothing more happens
  };
  /// A queue whose tick failed is tried again after a growing pause; the others go on.
  struct Trouble {
    Backoff backoff{std::chrono::seconds(1), std::chrono::seconds(60)};
    Clock::time_point retry_at;
  };

  bool take_turn(const SettingsSource& settings);
  void wake_up();
  Round look_and_tick(const Periods& periods);
  std::string glance();
  std::set<std::string> tick_idle_ones(const std::vector<QueueFacts>& queues, const Periods& periods);
  bool tick_queue(const QueueFacts& q, const Periods& periods, Round& round);
  bool has_late_events(const QueueFacts& q, milliseconds limit);
  void report_failure(const std::string& queue, const Error& error);
  bool sleep(const Periods& periods, milliseconds next);
  std::optional<milliseconds> wanted_lag(const QueueFacts& q, const Periods& periods) const;

  pg::Connection& connection_;
  Api api_;
  Stats& stats_;
  bool listening_ = false;
  bool asleep_ = false;  ///< Lock::asleep is held
  bool woken_ = false;   ///< the last pause was ended by a producer
  Clock::time_point last_activity_ = Clock::now();
  std::chrono::microseconds worked_{0};              ///< what a look and its ticks take, on average lately
  Clock::time_point silent_until_{};                 ///< until then producers are expected that don't wake us
  std::map<std::string, std::int64_t> seen_seq_;     ///< queue → event sequence at the last look
  std::map<std::string, std::int64_t> settled_seq_;  ///< queue → event ids up to here are all covered by ticks
  std::map<std::string, Trouble> trouble_;
  std::vector<QueueFacts> queues_;  ///< as of the last look
  std::string glance_;              ///< taken before it; "" while awake
  Clock::time_point look_at_{};     ///< asleep, until then a glance will do: no tick is due, only new events matter
  std::map<std::string, Audience> audiences_;
  Clock::time_point audiences_due_{};
};

}  // namespace skytools::ticker
