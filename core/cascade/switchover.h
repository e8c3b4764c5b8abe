#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/cascade/hooks.h"

namespace skytools::cascade {

/// A planned role change: the root and the branch that takes over are both alive.
struct Switchover {
  std::string to;
  bool all = false;                               ///< the old root's other subscribers move below the new root
  bool force = false;                             ///< in spite of gates that are not passed
  milliseconds limit = std::chrono::seconds(30);  ///< for the write pause; then the old root is opened again
};

struct SwitchoverResult {
  std::string from;                   ///< the old root; "" when `to` was the root already
  bool reopened = false;              ///< `to` was the root already, but closed by a run that was cut off
  std::optional<milliseconds> pause;  ///< writers were refused for so long; a rehearsal's is an estimate
  std::int64_t last_tick = 0;         ///< of the old root
  std::vector<std::string> unpassed;  ///< gates that a rehearsal found closed, or that were forced
};

/// Carries it out, or under steps.dry_run() rehearses all but the demotion. Until the promotion any failure or stop
/// opens the old root again; after it the same call completes what is left. Gates come first: nothing has changed when
/// they refuse.
/// @throws Refused  a gate is closed, or two roots take writes  @throws Error, TimedOut, Stopped
SwitchoverResult switchover(Net& net, Steps& steps, const Hooks& hooks, const Switchover& request);

}  // namespace skytools::cascade
