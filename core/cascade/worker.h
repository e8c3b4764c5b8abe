#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/stop.h"
#include "core/cascade/node.h"
#include "core/pgq/event_stream.h"

namespace skytools::cascade {

/// Settings of a cascaded worker.
struct WorkerSettings {
  std::string db;  ///< connect string of the local node
  std::string queue;
  milliseconds loop_delay = std::chrono::seconds(1);  ///< longest sleep between two looks; notifications wake earlier
  milliseconds local_watermark_period = std::chrono::seconds(300);   ///< between two publications to the provider
  milliseconds global_watermark_period = std::chrono::seconds(300);  ///< the same on a root, for the whole set
  milliseconds longest_pause = std::chrono::seconds(20);             ///< after repeated errors
  std::int64_t catch_up_events = 20000;  ///< a lagging leaf takes several ticks at once up to about this many events
  std::string remote_extra;              ///< appended to the provider's connect string
  bool once = false;                     ///< drain what is there, then return
};

struct WorkerContext;

/// What is done with the events: Londiste applies rows. Called by the worker in this order for each batch.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  /// New connections. Called once per session before anything else.
  virtual void start(WorkerContext&) {}
  /// Before the target transaction opens; may commit on its own. `batch` is null when there is none. False: stop was
  /// requested.
  virtual bool prepare(WorkerContext&, const pgq::Batch* batch) = 0;
  virtual void begin(WorkerContext&, pg::Transaction& target, const pgq::Batch&) = 0;
  virtual void event(WorkerContext&, pg::Transaction& target, const pgq::Event&) = 0;
  /// Everything must be flushed into `target` now.
  virtual void finish(WorkerContext&, pg::Transaction& target) = 0;
  virtual void committed(WorkerContext&) {}
  /// Regular work of the root's worker.
  virtual void root_round(WorkerContext&) {}
  /// Is something still going on beside the batches (an initial copy)? `once` waits for it.
  virtual bool busy() const { return false; }
  /// Must the next batch end at the next tick (a hand-over is due)?
  virtual bool tick_by_tick() const { return false; }
};

/// What a handler may use.
struct WorkerContext {
  const WorkerSettings& settings;
  StopToken& stop;
  std::function<void()> alive;  ///< to be called every few seconds by whoever waits
  pg::Connection& target;
  pg::Connection* source;  ///< null on a root
  WorkerState state;
  bool after_error;       ///< the batch before this one failed
  bool refreshed = true;  ///< the state was read again for this round: what others can change may have changed
  bool stale = true;      ///< set when it must be read again for the next one
};

/// The worker of one node: reads the provider, applies, mirrors (branch), acknowledges admin commands, publishes
/// watermarks. One call of run() lasts until a stop (or, with `once`, until nothing is left); errors end a session, are
/// stored as the node's cur_error, and a new session begins after a pause that grows from 0.2 s to longest_pause.
class Worker {
 public:
  Worker(WorkerSettings settings, EventHandler& handler, StopToken& stop, std::function<void()> on_ready = {},
         std::function<void()> on_heartbeat = {});
  ~Worker();
  void run();

 private:
  struct Session;

  WorkerSettings settings_;
  EventHandler& handler_;
  StopToken& stop_;
  std::function<void()> on_ready_, on_heartbeat_;
  bool failed_ = false;
  bool progressed_ = false;  ///< the last session finished a batch: the pause after an error starts small again
};

}  // namespace skytools::cascade
