#include "core/cascade/worker.h"

#include <algorithm>

#include "core/cascade/batch_work.h"
#include "core/cascade/error_pause.h"
#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {
constexpr milliseconds kFirstPause(200);
constexpr milliseconds kBusyDelay(200);  ///< between two looks while a copy goes on
constexpr double kBehindSeconds = 1.0;   ///< a batch older than this means that we lag
}  // namespace

/// One session's work: a round per batch.
struct Worker::Loop {
  explicit Loop(Worker& worker);
  void run();

 private:
  enum class Did {
    work,
    nothing,  ///< there was nothing to do
    wait      ///< there is, but not now
  };
  Did round();
  Did handle(const pgq::Batch& batch, Standing standing);
  std::optional<pgq::Batch> next_batch();

  Worker& w_;
  Session session_;
  Watermarks watermarks_;
  BatchWork work_;
  bool behind_ = false;
};

Worker::Loop::Loop(Worker& worker)
    : w_(worker),
      session_(w_.settings_, w_.stop_, w_.on_heartbeat_, w_.failed_),
      watermarks_(session_),
      work_(session_, w_.handler_, watermarks_) {
  w_.handler_.start(session_.context());
}

std::optional<pgq::Batch> Worker::Loop::next_batch() {
  pg::Transaction tx(session_.source(), pg::Mode::autocommit);
  const std::string& name = session_.state().worker_name;
  const WorkerSettings& settings = w_.settings_;
  if (behind_ && session_.duties().several_ticks && settings.catch_up_events > 0 && !w_.handler_.tick_by_tick())
    if (auto batch = pgq::next_batch(tx, settings.queue, name, {.min_count = settings.catch_up_events})) return batch;
  return pgq::next_batch(tx, settings.queue, name);
}

Worker::Loop::Did Worker::Loop::handle(const pgq::Batch& batch, Standing standing) {
  auto started = Clock::now();
  if (standing == Standing::passed && !work_.pass(batch)) return Did::work;
  if (standing == Standing::next) {
    Outcome outcome = work_.apply(batch);
    if (outcome != Outcome::applied) return outcome == Outcome::closed ? Did::wait : Did::work;
  }
  work_.finish(batch);
  behind_ = batch.lag > kBehindSeconds;
  w_.progressed_ = true;
  auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - started);
  log::debug(standing == Standing::next ? "batch applied" : "batch was already applied",
             {{"queue", w_.settings_.queue},
              {"tick", batch.tick},
              {"prev_tick", batch.prev_tick},
              {"duration_ms", took.count()}});
  return Did::work;
}

Worker::Loop::Did Worker::Loop::round() {
  WorkerContext& context = session_.context();
  if (!session_.acknowledge()) return Did::wait;
  session_.follow_provider();
  if (session_.duties().publishes_global) {
    watermarks_.publish_global();
    w_.handler_.root_round(context);
  }
  if (!session_.duties().reads) return Did::nothing;
  auto batch = next_batch();
  if (!batch) return w_.handler_.prepare(context, nullptr) ? Did::nothing : Did::work;
  Standing standing = work_.standing(*batch);
  if (standing == Standing::ahead) {
    watermarks_.publish(*batch);
    return Did::nothing;
  }
  // A batch that is applied already may not serve for a hand-over of a table: nobody would apply its events there.
  if (!w_.handler_.prepare(context, standing == Standing::next ? &*batch : nullptr)) return Did::work;
  return handle(*batch, standing);
}

void Worker::Loop::run() {
  while (!w_.stop_.requested()) {
    session_.context().alive();
    Did did = round();
    w_.failed_ = false;
    if (did == Did::work) continue;
    bool busy = w_.handler_.busy();
    if (w_.settings_.once && did == Did::nothing && !busy) return;
    session_.wait(busy ? std::min(w_.settings_.loop_delay, kBusyDelay) : w_.settings_.loop_delay);
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
      Loop loop(*this);
      if (!ready && on_ready_) on_ready_();
      ready = true;
      loop.run();
      return;
    } catch (const Stopped&) {
      return;
    } catch (const Error& e) {
      if (settings_.once || (!ready && dynamic_cast<const Refused*>(&e))) throw;
      failed_ = true;
      std::string text = describe(e);
      if (progressed_) pause = kFirstPause;
      log::error(text, {{"queue", settings_.queue}, {"retry_in_ms", pause.count()}});
      pause_after_error(settings_, text, pause, stop_, on_heartbeat_);
      pause = std::min(pause * 2, settings_.longest_pause);
    }
  }
}

}  // namespace skytools::cascade
