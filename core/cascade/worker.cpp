#include "core/cascade/worker.h"

#include <algorithm>

#include "core/base/failpoint.h"
#include "core/cascade/mirror.h"
#include "core/cascade/system_event.h"
#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

using std::chrono::seconds;
constexpr milliseconds kFirstPause(200);
constexpr double kBehindSeconds = 1.0;  ///< a batch older than this means that we lag

}  // namespace

/// Connections and what is known about them, from connect to the first error.
struct Worker::Session {
  explicit Session(Worker& worker);
  void run();

 private:
  void lock_node();
  bool acknowledge();  ///< uptodate, cur_error, pause. False: paused, nothing to do now
  void follow_provider();
  bool step();  ///< false: nothing was there to do
  std::optional<pgq::Batch> next_batch();
  bool already_done(const pgq::Batch& batch);
  bool process(const pgq::Batch& batch);  ///< false: not now, the node was paused or moved
  void make_tick(const pgq::Batch& batch);
  void finish(const pgq::Batch& batch);
  void publish_watermark(const pgq::Batch& batch);
  bool root_round();
  void wait(milliseconds d);
  void take_notifications();
  void on_silence();

  Worker& w_;
  pg::Connection target_;
  std::unique_ptr<pg::Connection> source_;
  std::string source_location_;
  WorkerContext context_;
  Clock::time_point watermark_due_{};  ///< the first publication comes at once
  Clock::time_point state_due_{};      ///< when the node's state is read again at the latest
  std::int64_t max_event_id_ = 0;
  bool behind_ = false;
};

namespace {
pg::ConnectOptions connect_options(const StopToken& stop, const std::function<void()>& alive) {
  return {.stop = &stop, .application_name = "skytools worker", .on_wait = alive};
}
}  // namespace

Worker::Session::Session(Worker& worker)
    : w_(worker),
      target_("db", w_.settings_.db, connect_options(w_.stop_, w_.on_heartbeat_)),
      context_{w_.settings_, w_.stop_, w_.on_heartbeat_, target_, nullptr, {}, w_.failed_} {
  prepare_session(target_);
  lock_node();
  pg::listen(target_, kNodeChannel);
  w_.handler_.start(context_);
}

void Worker::Session::lock_node() {
  pg::Transaction tx(target_, pg::Mode::autocommit);
  if (!tx.value<bool>("select pg_try_advisory_lock($1::int, hashtext($2))", kWorkerLockClass, w_.settings_.queue))
    throw Refused("[" + target_.label() + "] another worker of queue " + w_.settings_.queue + " is running");
}

void Worker::Session::wait(milliseconds d) {
  pg::wait_readable({&target_, source_.get()}, d, w_.stop_);
  if (source_) source_->notifications();
}

void Worker::Session::take_notifications() {
  for (auto& n : target_.notifications())
    context_.stale |= n.channel == kNodeChannel && n.payload == w_.settings_.queue;
}

/// A provider that went mute may stay so for long: a failover that moved the node, or that ended our session here to do
/// so, must not wait for it.
void Worker::Session::on_silence() {
  w_.on_heartbeat_();
  take_notifications();
  // Our own connection may be in the middle of a batch.
  pg::Connection c("db", w_.settings_.db, {.connect_timeout = seconds(3), .statement_timeout = seconds(3)});
  pg::Transaction tx(c, pg::Mode::autocommit);
  std::string provider = worker_state(tx, w_.settings_.queue).provider_node;
  if (provider != context_.state.provider_node)
    throw Error("provider " + context_.state.provider_node + " does not answer, and the node reads from " + provider +
                " now");
}

bool Worker::Session::acknowledge() {
  const std::string& queue = w_.settings_.queue;
  WorkerState& state = context_.state;
  // Who changes the node tells so; looking anyway once per loop_delay is for schemas that do not.
  take_notifications();
  context_.refreshed = context_.stale || Clock::now() >= state_due_;
  if (!context_.refreshed) return !state.paused;
  context_.stale = false;
  state_due_ = Clock::now() + w_.settings_.loop_delay;
  pg::Transaction tx(target_, pg::Mode::autocommit);
  state = worker_state(tx, queue);
  if (!state.uptodate) run_command(tx, "pgq_node.set_consumer_uptodate($1, $2, true)", {queue, state.worker_name});
  if (state.error && !w_.failed_)
    run_command(tx, "pgq_node.set_consumer_error($1, $2, null)", {queue, state.worker_name});
  return !state.paused;
}

void Worker::Session::follow_provider() {
  const WorkerState& state = context_.state;
  if (state.type == NodeType::root) {
    source_.reset();
    context_.source = nullptr;
    return;
  }
  if (source_ && source_location_ == state.provider_location) return;
  std::string location = state.provider_location;
  if (!w_.settings_.remote_extra.empty()) location += " " + w_.settings_.remote_extra;
  source_ = std::make_unique<pg::Connection>("provider " + state.provider_node, location,
                                             connect_options(w_.stop_, [this] { on_silence(); }));
  source_location_ = state.provider_location;
  context_.source = source_.get();
  // No conversion on the way: both ends speak the provider's server encoding.
  std::string encoding;
  {
    pg::Transaction tx(*source_, pg::Mode::autocommit);
    encoding = tx.value<std::string>("select current_setting('server_encoding')");
    if (auto channel = pgq::tick_channel(tx, w_.settings_.queue)) pg::listen(*source_, *channel);
  }
  prepare_session(*source_, encoding);
  prepare_session(target_, encoding);
  log::info("reading from provider",
            {{"queue", w_.settings_.queue}, {"node", state.node}, {"provider", state.provider_node}});
}

std::optional<pgq::Batch> Worker::Session::next_batch() {
  pg::Transaction tx(*source_, pg::Mode::autocommit);
  const std::string& worker = context_.state.worker_name;
  // A leaf makes no ticks of its own, so while it lags it may take several at once.
  if (behind_ && context_.state.type == NodeType::leaf && w_.settings_.catch_up_events > 0 &&
      !w_.handler_.tick_by_tick())
    if (auto batch = pgq::next_batch(tx, w_.settings_.queue, worker, {.min_count = w_.settings_.catch_up_events}))
      return batch;
  return pgq::next_batch(tx, w_.settings_.queue, worker);
}

bool Worker::Session::already_done(const pgq::Batch& batch) {
  const WorkerState& state = context_.state;
  if (state.completed_tick == batch.prev_tick) return false;
  if (state.completed_tick != batch.tick)
    throw Error("lost position: batch " + std::to_string(batch.prev_tick) + ".." + std::to_string(batch.tick) + " of " +
                state.provider_node + ", but " + state.node + " has completed tick " +
                std::to_string(state.completed_tick));
  if (state.type == NodeType::branch && state.queue_top != batch.tick) {
    if (state.queue_top != batch.prev_tick)
      throw Error("lost position: tick " + std::to_string(batch.tick) +
                  " is applied, but the newest tick of the branch is " + std::to_string(state.queue_top.value_or(0)));
    make_tick(batch);  // a crash came between the commit and the tick
  }
  return true;
}

bool Worker::Session::process(const pgq::Batch& batch) {
  const WorkerState& state = context_.state;
  const std::string& queue = w_.settings_.queue;
  pg::Transaction source_tx(*source_, pg::Mode::read_only);
  pg::Transaction tx(target_);
  // The row lock makes the check and the new position one step, whoever else might be at work on this node.
  auto [completed, paused, provider] = tx.one<std::int64_t, bool, std::string>(
      "select last_tick_id, paused, provider_node from pgq_node.local_state"
      " where queue_name = $1 and consumer_name = $2 for no key update",
      queue, state.worker_name);
  if (paused || provider != state.provider_node) {
    context_.stale = true;  // changed since the state was read: what was acknowledged has to hold
    return false;
  }
  if (completed != batch.prev_tick) throw Error("the position of " + state.worker_name + " was moved by somebody else");
  w_.handler_.begin(context_, tx, batch);
  bool mirrors = state.type == NodeType::branch;
  Mirror mirror(tx, queue);
  pgq::EventStream events(source_tx, batch.id);
  Clock::time_point alive_due{};
  while (const pgq::Event* e = events.next()) {
    // A long batch whose data never lets us wait needs signs of life too.
    if (auto now = Clock::now(); now >= alive_due) context_.alive(), alive_due = now + seconds(1);
    if (e->retry)
      throw Error("event " + std::to_string(e->id) + " was retried; a cascaded queue must not hold such events");
    max_event_id_ = std::max(max_event_id_, e->id);
    if (mirrors) mirror.add(events);
    events.drop_raw();
    if (is_system_event(*e))
      apply_system_event(tx, queue, state.type, *e);
    else
      w_.handler_.event(context_, tx, *e);
    SKYTOOLS_FAILPOINT("worker.event");
    if (w_.stop_.cancelled()) throw Stopped();
  }
  mirror.flush();
  w_.handler_.finish(context_, tx);
  run_command(tx, "pgq_node.set_consumer_completed($1, $2, $3)", {queue, state.worker_name, batch.tick});
  SKYTOOLS_FAILPOINT("worker.before_commit");
  tx.commit();
  SKYTOOLS_FAILPOINT("worker.after_commit");
  w_.handler_.committed(context_);
  // Only now: a tick inside the transaction above would not see its events. And before anything else is said to a
  // provider that may be mute.
  if (mirrors) make_tick(batch);
  source_tx.commit();
  SKYTOOLS_FAILPOINT("worker.after_tick");
  return true;
}

void Worker::Session::make_tick(const pgq::Batch& batch) {
  pg::Transaction tx(target_, pg::Mode::autocommit);
  pgq::external_tick(tx, w_.settings_.queue, batch.tick, batch.tick_time, std::max(batch.seq, max_event_id_));
}

void Worker::Session::publish_watermark(const pgq::Batch& batch) {
  if (Clock::now() < watermark_due_) return;
  watermark_due_ = Clock::now() + w_.settings_.local_watermark_period;
  pg::Transaction local(target_, pg::Mode::autocommit);
  auto info = node_info(local, w_.settings_.queue);
  if (!info || !info->local_watermark) return;
  std::int64_t watermark = std::min(*info->local_watermark, batch.tick);
  pg::Transaction tx(*source_, pg::Mode::autocommit);
  pg::Result r = tx.exec("select ret_code, ret_note from pgq_node.set_subscriber_watermark($1, $2, $3)",
                         w_.settings_.queue, info->name, watermark);
  // A watermark only holds events back; one that could not be moved is no reason to stop.
  if (r.rows() && r.get<int>(0, 0).value_or(0) >= 300)
    log::warning("watermark not published", {{"queue", w_.settings_.queue}, {"note", std::string(r.text(0, 1))}});
}

void Worker::Session::finish(const pgq::Batch& batch) {
  context_.state.completed_tick = batch.tick;
  if (context_.state.type == NodeType::branch) context_.state.queue_top = batch.tick;
  publish_watermark(batch);
  pg::Transaction tx(*source_, pg::Mode::autocommit);
  pgq::finish_batch(tx, batch.id);
  SKYTOOLS_FAILPOINT("worker.after_finish");
  behind_ = batch.lag > kBehindSeconds;
  context_.after_error = false;
  w_.progressed_ = true;
}

bool Worker::Session::root_round() {
  if (Clock::now() >= watermark_due_) {
    watermark_due_ = Clock::now() + w_.settings_.global_watermark_period;
    pg::Transaction tx(target_, pg::Mode::autocommit);
    run_command(tx, "pgq_node.set_global_watermark($1, null)", {w_.settings_.queue});
  }
  w_.handler_.root_round(context_);
  return false;
}

bool Worker::Session::step() {
  if (!acknowledge()) return false;
  follow_provider();
  const WorkerState& state = context_.state;
  if (state.type == NodeType::root) return root_round();
  if (!state.combined_queue.empty())
    throw Error("node " + state.node + " merges into queue " + state.combined_queue +
                "; this version has no merge leaf worker");
  auto batch = next_batch();
  // A batch that is applied already may not serve for a hand-over of a table: nobody would apply its events there.
  bool skipped = batch && already_done(*batch);
  if (!w_.handler_.prepare(context_, batch && !skipped ? &*batch : nullptr)) return true;
  if (!batch) return false;
  auto started = Clock::now();
  if (!skipped && !process(*batch)) return true;
  finish(*batch);
  auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - started);
  log::debug(skipped ? "batch was already applied" : "batch applied", {{"queue", w_.settings_.queue},
                                                                       {"tick", batch->tick},
                                                                       {"prev_tick", batch->prev_tick},
                                                                       {"duration_ms", took.count()}});
  return true;
}

void Worker::Session::run() {
  while (!w_.stop_.requested()) {
    context_.alive();
    bool worked = step();
    w_.failed_ = false;
    if (worked) continue;
    if (w_.settings_.once && !context_.state.paused && !w_.handler_.busy()) return;
    wait(w_.handler_.busy() ? std::min(w_.settings_.loop_delay, milliseconds(200)) : w_.settings_.loop_delay);
  }
}

Worker::Worker(WorkerSettings settings, EventHandler& handler, StopToken& stop, std::function<void()> on_ready,
               std::function<void()> on_heartbeat)
    : settings_(std::move(settings)),
      handler_(handler),
      stop_(stop),
      on_ready_(std::move(on_ready)),
      on_heartbeat_(on_heartbeat ? std::move(on_heartbeat) : [] {}) {}

Worker::~Worker() = default;

void Worker::run() {
  milliseconds pause = kFirstPause;
  bool ready = false;
  while (!stop_.requested()) {
    progressed_ = false;
    try {
      Session session(*this);
      if (!ready && on_ready_) on_ready_();
      ready = true;
      session.run();
      return;
    } catch (const Stopped&) {
      return;
    } catch (const Error& e) {
      if (settings_.once || (!ready && dynamic_cast<const Refused*>(&e))) throw;
      failed_ = true;
      std::string text = describe(e);
      if (progressed_) pause = kFirstPause;
      log::error(text, {{"queue", settings_.queue}, {"retry_in_ms", pause.count()}});
      store_error(settings_.db, settings_.queue, "", text, stop_);
      stop_.wait(pause);
      pause = std::min(pause * 2, settings_.longest_pause);
    }
  }
}

}  // namespace skytools::cascade
