#pragma once
#include <functional>

#include "core/cascade/handler.h"

namespace skytools::cascade {

/// The worker of one node: reads the provider, applies, mirrors (branch) or merges (merge leaf), acknowledges admin
/// commands, publishes watermarks. With `settings.consumer`, a plain cascaded consumer: the same loop with fewer
/// duties. One call of run() lasts until a stop (or, with `once`, until nothing is left); errors end a session, are
/// stored as the consumer's cur_error, and a new session begins after a pause that grows from 0.2 s to longest_pause.
class Worker {
 public:
  Worker(WorkerSettings settings, EventHandler& handler, StopToken& stop, std::function<void()> on_ready = {},
         std::function<void()> on_heartbeat = {});
  ~Worker();
  void run();

 private:
  struct Loop;

  WorkerSettings settings_;
  EventHandler& handler_;
  StopToken& stop_;
  std::function<void()> on_ready_, on_heartbeat_;
  bool failed_ = false;
  bool progressed_ = false;  ///< the last session finished a batch: the pause after an error starts small again
};

}  // namespace skytools::cascade
