#pragma once
#include <functional>

#include "core/base/stop.h"
#include "core/cascade/duties.h"
#include "core/pgq/event.h"

namespace skytools::cascade {

/// Settings of a cascaded worker or consumer.
struct WorkerSettings {
  std::string db;  ///< connect string of the local node
  std::string queue;
  std::string consumer = {};                          ///< "": the node's worker; else a cascaded consumer of that name
  milliseconds loop_delay = std::chrono::seconds(1);  ///< longest sleep between two looks; notifications wake earlier
  milliseconds local_watermark_period = std::chrono::seconds(300);   ///< between two publications to the provider
  milliseconds global_watermark_period = std::chrono::seconds(300);  ///< the same on a root, for the whole set
  milliseconds longest_pause = std::chrono::seconds(20);             ///< after repeated errors
  std::int64_t catch_up_events = 20000;  ///< a lagging leaf takes several ticks at once up to about this many events
  std::string remote_extra = {};         ///< appended to the provider's connect string
  bool once = false;                     ///< drain what is there, then return

  ConsumerKind kind() const { return consumer.empty() ? ConsumerKind::worker : ConsumerKind::consumer; }
};

/// What a handler may use.
struct WorkerContext {
  const WorkerSettings& settings;
  StopToken& stop;
  std::function<void()> alive;  ///< to be called every few seconds by whoever waits
  /// To be called at least every second by whoever stands still: acknowledges admin commands. False: what this round
  /// was begun with does not hold any more (paused, moved, another role), so it has to be begun anew.
  std::function<bool()> still_valid;
  pg::Connection& target;
  pg::Connection* source;  ///< null on a root
  WorkerState state;
  Duties duties;
  bool after_error;       ///< the batch before this one failed
  bool refreshed = true;  ///< the state was read again for this round: what others can change may have changed
  bool stale = true;      ///< set when it must be read again for the next one
};

/// What is done with the events: Londiste applies rows. Called by the worker in this order for each batch.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  /// New connections. Called once per session before anything else.
  virtual void start(WorkerContext&) {}
  /// Before the target transaction opens; may commit on its own. `batch` is null when there is none to be applied.
  /// False: not now, begin the round anew.
  virtual bool prepare(WorkerContext&, const pgq::Batch* /*batch*/) { return true; }
  virtual void begin(WorkerContext&, pg::Transaction& /*target*/, const pgq::Batch&) {}
  /// An event that is none of the cascade's own. Where the duties say that nothing is applied, only those about the set
  /// (is_set_event) come.
  virtual void event(WorkerContext&, pg::Transaction& target, const pgq::Event&) = 0;
  /// Everything must be flushed into `target` now.
  virtual void finish(WorkerContext&, pg::Transaction& /*target*/) {}
  virtual void committed(WorkerContext&) {}
  /// The batch was begun and failed: nothing of `target` may be used any more.
  virtual void abandoned() noexcept {}
  /// Regular work of the root's worker.
  virtual void root_round(WorkerContext&) {}
  /// Is something still going on beside the batches (an initial copy)? `once` waits for it.
  virtual bool busy() const { return false; }
  /// Must the next batch end at the next tick (a hand-over is due)?
  virtual bool tick_by_tick() const { return false; }
};

}  // namespace skytools::cascade
