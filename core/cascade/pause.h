#pragma once
#include <string>

#include "core/cascade/steps.h"

namespace skytools::cascade {

/// A node's worker, or one of its plain consumers, shall stand still or go on.
struct Pause {
  std::string node;
  std::string consumer = {};  ///< "": the node's worker
  bool paused = true;
  milliseconds limit = std::chrono::seconds(30);  ///< for the acknowledgement
};

struct PauseResult {
  std::string consumer;
  bool changed = false;  ///< false: it stood still, or went on, already
};

/// Sets the flag and waits until the consumer has seen it; the node must be in net.list().
/// @throws TimedOut  nobody acknowledged: the flag stays set  @throws Error  unknown consumer
PauseResult pause(Net& net, Steps& steps, const Pause& request);

}  // namespace skytools::cascade
