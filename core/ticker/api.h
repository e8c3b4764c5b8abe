#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/pg/transaction.h"
#include "core/ticker/pace.h"
#include "core/ticker/schedule.h"

namespace skytools::ticker {

/// Session advisory locks of a ticker: (1397446516, n). Documented, so that other tickers and producers can share them.
enum class Lock {
  serving = 1,  ///< held by the one ticker that serves the database
  asleep = 3,   ///< held while it sleeps: producers that cannot share it send NOTIFY skytools_wake
};
inline constexpr const char* kWakeChannel = "skytools_wake";
inline constexpr const char* kRetrySql = "select pgq.maint_retry_events()";

/// One row of pgq.maint_operations().
struct Operation {
  std::string function;                 ///< "pgq.maint_rotate_tables_step1", "vacuum", "vacuum analyze"
  std::optional<std::string> argument;  ///< queue; table for a vacuum
  std::string str() const { return function + (argument ? " " + *argument : ""); }
  std::string sql() const;  ///< the statement that runs it. @throws Error  a vacuum that names no table
};

/// A tick that an idle queue may get before its time.
struct IdleTick {
  std::string queue;
  milliseconds lag;  ///< if it got events since the look: how long these may wait
  milliseconds age;  ///< of its newest tick: that much is enough
};

/// The server functions a ticker needs, one method each; every call is its own transaction.
class Api {
 public:
  /// Looks which schemas the database has. @throws SchemaMissing  without a pgq of version 3
  explicit Api(pg::Connection& c);

  /// False when pgq comes from the original extension and the schema skytools is not there: then ticks follow the
  /// queue's own lag and producers don't wake anybody.
  bool has_skytools() const { return has_skytools_; }
  /// Can idle ticks come before their time? False also with a schema skytools of an earlier program.
  bool can_gather() const { return can_gather_; }
  bool in_recovery();

  /// Session settings: longest wait for a lock, no end of idle sessions. What is waited for is an error after
  /// `lock_timeout`, so that one locked queue cannot stop the others.
  void set_session(milliseconds lock_timeout);
  bool try_lock(Lock which);
  void unlock(Lock which);

  /// All queues that are neither paused nor ticked from outside, by name. Takes no transaction id and writes no WAL.
  std::vector<QueueFacts> check();
  /// Changes whenever an event was sent to one of these queues, or any queue's row was changed, at the latest when that
  /// was committed: much cheaper than check(). @throws SqlError  when a queue is gone
  std::string glance(const std::vector<QueueFacts>& queues);
  /// How consumers follow, by queue; those of check() without any are left out.
  std::map<std::string, Audience> audiences();
  /// Are there committed events which the newest tick missed because their transaction was still open?
  bool has_late_events(const QueueFacts& q);
  /// Takes an id from the event sequence, which is what tells the server that events wait.
  void spend_event_id(const QueueFacts& q);
  /// The new tick's id, nothing when the server finds that none is due. Listeners of pgq_tick_<queue_id> are told.
  std::optional<std::int64_t> tick(const std::string& queue, milliseconds lag);
  std::string tick_sql(const std::string& queue, milliseconds lag) const;
  /// Several idle queues in one transaction, all or none; needs can_gather(). @return ticks made
  std::int64_t tick_together(std::span<const IdleTick> ticks);

  std::vector<Operation> maint_operations();
  /// Runs it once. True: it wants to be called again at once.
  bool run(const Operation& operation);
  /// Moves some due events from the retry queue back to their queues. @return how many; 0: none is due
  std::int64_t retry_events();

 private:
  pg::Connection& c_;
  bool has_skytools_ = false, can_gather_ = false;
  bool check_prepared_ = false, glance_prepared_ = false;
  struct {
    std::string sequences, snapshot, facts;
  } glanced_;  ///< the last glance
};

}  // namespace skytools::ticker
