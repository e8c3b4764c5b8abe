#include "core/cascade/batch_work.h"

#include <algorithm>

#include "core/base/failpoint.h"
#include "core/cascade/system_event.h"
#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

using std::chrono::seconds;

constexpr const char* kTickEvent = "pgq.tick-id";

std::string range(const pgq::Batch& batch) {
  return "batch " + std::to_string(batch.prev_tick) + ".." + std::to_string(batch.tick);
}

/// A batch in a handler's hands, given up when this goes before committed().
class Begun {
 public:
  explicit Begun(EventHandler& handler) : handler_(handler) {}
  Begun(const Begun&) = delete;
  Begun& operator=(const Begun&) = delete;
  ~Begun() {
    if (open_) handler_.abandoned();
  }
  void committed(WorkerContext& context) {
    open_ = false;
    handler_.committed(context);
  }

 private:
  EventHandler& handler_;
  bool open_ = true;
};

/// May the combined queue be written to? Its row stays locked, so that it cannot be closed before we commit: an event
/// behind its last tick would be lost to the next root.
bool open_for_merging(pg::Transaction& tx, const std::string& combined) {
  pg::Result r = tx.exec(
      "select 1 from pgq_node.node_info n where n.queue_name = $1 and n.node_type = 'root' for key share", combined);
  return r.rows() == 1 &&
         tx.value<bool>("select not queue_disable_insert from pgq.queue where queue_name = $1", combined);
}

}  // namespace

Standing BatchWork::standing(const pgq::Batch& batch) {
  const WorkerState& state = session_.state();
  // A merge leaf's position may have been moved by the other way its data came, in its present role or the one before.
  if (state.combined_type && batch.tick <= state.completed_tick) return Standing::passed;
  if (session_.duties().waits_behind) return Standing::ahead;
  if (state.completed_tick == batch.prev_tick) return Standing::next;
  if (state.completed_tick != batch.tick)
    throw Error("[" + session_.source().label() + "] lost position: " + range(batch) + " comes next for " +
                state.worker_name + ", but " + state.node + " has completed tick " +
                std::to_string(state.completed_tick) +
                "; --rewind moves the provider's queue to that tick, --reset takes over the queue's position, and what "
                "lies between is skipped or repeated");
  if (session_.duties().copies == Copies::own_queue && state.queue_top != batch.tick) {
    if (state.queue_top != batch.prev_tick)
      throw Error("[" + session_.target().label() + "] lost position: tick " + std::to_string(batch.tick) +
                  " is applied, but the newest tick of the branch is " + std::to_string(state.queue_top.value_or(0)));
    make_tick(batch);  // a crash came between the commit and the tick
  }
  return Standing::applied;
}

/// A row lock makes the check and the new position one step, whoever else might be at work on this node.
bool BatchWork::position_holds(pg::Transaction& target, const pgq::Batch& batch) {
  const WorkerState& state = session_.state();
  const std::string& queue = session_.settings().queue;
  bool worker = session_.settings().kind() == ConsumerKind::worker;
  auto at = stored_position(target, queue, state.worker_name, worker);
  if (!worker && at.completed_tick == batch.prev_tick) {
    // A plain consumer may not lock the row as such; storing what it holds does that.
    run_command(target, "pgq_node.set_consumer_completed($1, $2, $3)", {queue, state.worker_name, at.completed_tick});
    at = stored_position(target, queue, state.worker_name, false);
  }
  if (at.paused || at.provider_node != state.provider_node) return false;
  if (at.completed_tick != batch.prev_tick)
    throw Error("the position of " + state.worker_name + " was moved by somebody else");
  return true;
}

void BatchWork::sign_of_life() {
  // A long batch whose data never lets us wait needs signs of life too.
  if (auto now = Clock::now(); now >= alive_due_) session_.context().alive(), alive_due_ = now + seconds(1);
  if (session_.context().stop.cancelled()) throw Stopped();
}

void BatchWork::one_event(pg::Transaction& target, const pgq::EventStream& events, const pgq::Event& e,
                          Mirror* mirror) {
  const Duties& duties = session_.duties();
  if (e.retry)
    throw Error("event " + std::to_string(e.id) + " was retried; a cascaded queue must not hold such events");
  max_event_id_ = std::max(max_event_id_, e.id);
  bool system = is_system_event(e);
  std::optional<std::int64_t> own_watermark;
  if (e.type == "pgq.global-watermark" && duties.system_events) own_watermark = watermarks_.own(target);
  if (mirror && own_watermark)
    mirror->add_with_data(events, std::to_string(*own_watermark));
  else if (mirror && (duties.copies == Copies::own_queue || !(system || is_set_event(e))))
    mirror->add(events);
  if (!system) return handler_.event(session_.context(), target, e);
  if (!own_watermark && duties.system_events)
    apply_system_event(target, session_.settings().queue, session_.state().type, e);
}

Outcome BatchWork::apply(const pgq::Batch& batch) {
  const WorkerState& state = session_.state();
  const std::string& queue = session_.settings().queue;
  const Copies copies = session_.duties().copies;
  WorkerContext& context = session_.context();
  pg::Transaction source_tx(session_.source(), pg::Mode::read_only);
  pg::Transaction tx(session_.target());
  if (!position_holds(tx, batch)) {
    context.stale = true;  // changed since the state was read: what was acknowledged has to hold
    return Outcome::begin_anew;
  }
  std::optional<Mirror> mirror;
  if (copies == Copies::own_queue) mirror.emplace(tx, queue, Mirror::Ids::kept);
  if (copies == Copies::combined_queue) {
    if (!open_for_merging(tx, state.combined_queue)) {
      context.stale = true;
      return Outcome::closed;
    }
    mirror.emplace(tx, state.combined_queue, Mirror::Ids::anew);
  }
  Begun begun(handler_);
  handler_.begin(context, tx, batch);
  pgq::EventStream events(source_tx, batch.id);
  while (const pgq::Event* e = events.next()) {
    sign_of_life();
    one_event(tx, events, *e, mirror ? &*mirror : nullptr);
    events.drop_raw();
    SKYTOOLS_FAILPOINT("worker.event");
  }
  if (mirror) mirror->flush();
  handler_.finish(context, tx);
  // The last of the batch, and sent for an empty one too: it moves those who get the data through the combined queue.
  if (copies == Copies::combined_queue)
    pgq::insert_event(tx, state.combined_queue, kTickEvent, std::to_string(batch.tick), queue);
  run_command(tx, "pgq_node.set_consumer_completed($1, $2, $3)", {queue, state.worker_name, batch.tick});
  SKYTOOLS_FAILPOINT("worker.before_commit");
  tx.commit();
  SKYTOOLS_FAILPOINT("worker.after_commit");
  // Only now: a tick inside the transaction above would not see its events. And at once: a provider that dies must not
  // keep us from it.
  if (copies == Copies::own_queue) make_tick(batch);
  SKYTOOLS_FAILPOINT("worker.after_tick");
  begun.committed(context);
  source_tx.commit();
  return Outcome::applied;
}

bool BatchWork::pass(const pgq::Batch& batch) {
  const WorkerState& state = session_.state();
  WorkerContext& context = session_.context();
  pg::Transaction source_tx(session_.source(), pg::Mode::read_only);
  pg::Transaction tx(session_.target());
  auto at = stored_position(tx, session_.settings().queue, state.worker_name, false);
  if (at.paused || at.provider_node != state.provider_node) {
    context.stale = true;
    return false;
  }
  Begun begun(handler_);
  handler_.begin(context, tx, batch);
  pgq::EventStream events(source_tx, batch.id, kSystemEventsSql);
  while (const pgq::Event* e = events.next()) {
    sign_of_life();
    one_event(tx, events, *e, nullptr);
  }
  handler_.finish(context, tx);
  tx.commit();
  SKYTOOLS_FAILPOINT("worker.after_pass");
  begun.committed(context);
  source_tx.commit();
  return true;
}

void BatchWork::make_tick(const pgq::Batch& batch) {
  pg::Transaction tx(session_.target(), pg::Mode::autocommit);
  pgq::external_tick(tx, session_.settings().queue, batch.tick, batch.tick_time, std::max(batch.seq, max_event_id_));
}

void BatchWork::finish(const pgq::Batch& batch) {
  WorkerState& state = session_.context().state;
  // Not backwards: of a batch that was passed the position is another worker's affair.
  state.completed_tick = std::max(state.completed_tick, batch.tick);
  if (session_.duties().copies == Copies::own_queue) state.queue_top = batch.tick;
  watermarks_.publish(batch);
  pg::Transaction tx(session_.source(), pg::Mode::autocommit);
  pgq::finish_batch(tx, batch.id);
  SKYTOOLS_FAILPOINT("worker.after_finish");
  session_.context().after_error = false;
}

}  // namespace skytools::cascade
