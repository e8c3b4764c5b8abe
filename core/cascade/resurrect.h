#pragma once
#include <optional>
#include <string>

#include "core/cascade/lost_events.h"
#include "core/cascade/steps.h"

namespace skytools::cascade {

struct Resurrection {
  std::string file = "resurrect-lost-events.json";
  milliseconds limit = std::chrono::seconds(60);  ///< for open writers to end
};

struct ResurrectResult {
  bool back = false;      ///< false: the node is a leaf, nothing had to be done
  std::string provider;   ///< the node that took over
  std::int64_t tick = 0;  ///< up to which both have the same history
  LostEvents lost;        ///< what the file holds
  bool paused = false;    ///< its tables have rows the set doesn't know: they are compared before the worker goes on
};

/// Brings the local node, a root or branch that was given up for dead, back into the set: events after the point where
/// the others went on without it are written to a file and taken out of its queue, its worker continues from that point
/// below the node that took over. Tables are not touched. May be run again after it died half way.
/// @throws Refused  the file exists  @throws Error  no or several nodes hold a gravestone of this node
ResurrectResult resurrect(Net& net, Steps& steps, const Resurrection& request);

}  // namespace skytools::cascade
