#include "core/cascade/control.h"

#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

constexpr milliseconds kPoll(250);          ///< the net below the notifications
constexpr milliseconds kBatchLook(1000);    ///< for a batch to end, before a stop request is looked at
constexpr milliseconds kWorkersTick(2000);  ///< a running worker makes its tick right after its commit
constexpr milliseconds kForeignPoll(50);    ///< where nobody notifies: schemas of the original

bool paused_and_seen(pg::Transaction& tx, const std::string& queue, const std::string& consumer, bool paused) {
  auto state = consumer_state(tx, queue, consumer);
  if (!state) throw Error("[" + tx.connection().label() + "] unknown consumer " + consumer + " of queue " + queue);
  if (state->paused != paused)
    throw Error("[" + tx.connection().label() + "] somebody else has " + (paused ? "resumed " : "paused ") + consumer +
                " meanwhile");
  return state->uptodate;
}

/// Pauses a running worker that knows nothing of our lock. @return is it to be resumed?
bool pause_foreign(pg::Connection& node, const std::string& queue, const std::string& consumer, milliseconds limit) {
  {
    pg::Transaction tx(node, pg::Mode::autocommit);
    auto state = consumer_state(tx, queue, consumer);
    if (!state || state->paused || ours_runs(tx, queue, consumer)) return false;
  }
  // The flag would outlive us if we were killed while nobody is there to see it.
  if (!answers(node, queue, consumer, limit)) {
    log::warning("[" + node.label() + "] " + consumer + " does not answer: taken for not running");
    return false;
  }
  try {
    set_paused(node, queue, consumer, true, Deadline(limit));
  } catch (const TimedOut&) {
    log::warning("[" + node.label() + "] " + consumer + " does not answer: taken for not running");
  }
  return true;
}

/// The consumer's position, its row locked. nullopt: a batch is under way.
std::optional<std::int64_t> lock_position(pg::Transaction& tx, const std::string& queue, const std::string& consumer) {
  try {
    tx.exec("select set_config('lock_timeout', $1, true)", std::to_string(kBatchLook.count()) + "ms");
    auto position = tx.value<std::int64_t>(
        "select last_tick_id from pgq_node.local_state where queue_name = $1 and consumer_name = $2 for update", queue,
        consumer);
    tx.exec("select set_config('lock_timeout', '0', true)");
    return position;
  } catch (const pg::SqlError& e) {
    if (e.sqlstate() != "55P03") throw;
    return std::nullopt;
  }
}

constexpr const char* kConsumerLock =
    " from pg_catalog.pg_locks l join pg_catalog.pg_database d on d.oid = l.database"
    " where d.datname = current_database() and l.locktype = 'advisory' and l.granted and l.objsubid = 2"
    " and l.classid = $1::bigint::oid and l.objid = (hashtext($2 || case when $3 = '' or exists (select 1 from "
    "pgq_node.node_info "
    "n"
    " where n.queue_name = $2 and n.worker_name = $3) then '' else '/' || $3 end)::bigint & 4294967295)::oid";

void end_session(pg::Connection& node, const std::string& queue, const std::string& consumer) {
  log::warning("[" + node.label() + "] " + consumer + " does not come to the end of its batch: its session is ended");
  pg::Transaction tx(node, pg::Mode::autocommit);
  tx.exec(std::string("select pg_catalog.pg_terminate_backend(l.pid)") + kConsumerLock, kWorkerLockClass, queue,
          consumer);
}

}  // namespace

void wait_until(pg::Connection& node, const std::string& queue, const std::string& what, const Deadline& deadline,
                const std::function<bool(pg::Transaction&)>& ready) {
  bool notifies = pg::listen(node, kNodeChannel);
  {
    pg::Transaction tx(node, pg::Mode::autocommit);
    if (auto channel = pgq::tick_channel(tx, queue)) pg::listen(node, *channel);
    notifies = notifies && tx.value<bool>("select to_regnamespace('skytools') is not null");
  }
  for (;;) {
    {
      pg::Transaction tx(node, pg::Mode::autocommit);
      if (ready(tx)) return;
    }
    if (deadline.passed()) throw TimedOut("[" + node.label() + "] timed out waiting for " + what);
    if (!node.wait_readable(deadline.left(notifies ? kPoll : kForeignPoll))) throw Stopped();
    node.notifications();
  }
}

bool ours_runs(pg::Transaction& tx, const std::string& queue, const std::string& consumer) {
  return tx.value<bool>(std::string("select exists (select 1") + kConsumerLock + ")", kWorkerLockClass, queue,
                        consumer);
}

bool answers(pg::Connection& node, const std::string& queue, const std::string& consumer, milliseconds limit) {
  {
    pg::Transaction tx(node);
    run_command(tx, "pgq_node.set_consumer_uptodate($1, $2, false)", {queue, consumer});
    tx.commit();
  }
  try {
    wait_until(node, queue, "an answer of " + consumer, Deadline(limit), [&](pg::Transaction& tx) {
      auto state = consumer_state(tx, queue, consumer);
      return state && state->uptodate;
    });
    return true;
  } catch (const TimedOut&) {
    return false;
  }
}

void set_paused(pg::Connection& node, const std::string& queue, const std::string& consumer, bool paused,
                const Deadline& deadline) {
  {
    pg::Transaction tx(node);
    run_command(tx, "pgq_node.set_consumer_paused($1, $2, $3)", {queue, consumer, paused});
    tx.commit();
  }
  wait_until(node, queue, consumer + " to " + (paused ? "pause" : "go on"), deadline,
             [&](pg::Transaction& tx) { return paused_and_seen(tx, queue, consumer, paused); });
}

void while_still(pg::Connection& node, const std::string& queue, const std::string& consumer, milliseconds limit,
                 Busy busy, const std::function<void(pg::Transaction&, std::int64_t position)>& work) {
  bool foreign = pause_foreign(node, queue, consumer, limit);
  auto resume = [&](pg::Transaction& tx) {
    if (foreign) run_command(tx, "pgq_node.set_consumer_paused($1, $2, false)", {queue, consumer});
  };
  try {
    for (Deadline deadline(limit);;) {
      pg::Transaction tx(node);
      if (auto position = lock_position(tx, queue, consumer)) {
        work(tx, *position);
        resume(tx);
        tx.commit();
        return;
      }
      tx.rollback();
      if (deadline.passed()) throw TimedOut("[" + node.label() + "] a batch of " + consumer + " does not end");
      if (node.stop()) node.stop()->check();
      if (busy == Busy::end_session) end_session(node, queue, consumer);
    }
  } catch (...) {
    if (foreign && !node.lost()) {
      pg::Transaction tx(node, pg::Mode::autocommit);
      resume(tx);
    }
    throw;
  }
}

void complete_tick(pg::Connection& node, const std::string& queue) {
  auto has_tick = [&](pg::Transaction& tx) {
    auto state = worker_state(tx, queue);
    return state.queue_top.value_or(0) >= state.completed_tick;
  };
  try {
    wait_until(node, queue, "the tick of the last batch", Deadline(kWorkersTick), has_tick);
  } catch (const TimedOut&) {
    pg::Transaction tx(node);
    tx.exec(
        "select pgq.ticker(q.queue_name, $2::bigint, now(), pgq.seq_getval(q.queue_event_seq)) from pgq.queue q"
        " where q.queue_name = $1",
        queue, worker_state(tx, queue).completed_tick);
    tx.commit();
  }
}

}  // namespace skytools::cascade
