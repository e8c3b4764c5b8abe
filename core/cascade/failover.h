#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/cascade/hooks.h"

namespace skytools::cascade {

/// Nodes are dead: what read from them goes on without them.
struct Failover {
  std::string to;                 ///< takes over from the dead root; or feeds the subscribers of a dead branch
  std::vector<std::string> dead;  ///< empty: the provider of `to`
  bool force = false;             ///< also when a dead node answers, or an unnamed one doesn't
  milliseconds limit = std::chrono::seconds(60);  ///< for catching up from a node that is further
};

/// A dead node's subscriber that has more than the new root: its rows have to be compared, it cannot be attached.
struct Stranded {
  std::string node;
  std::int64_t position = 0;
};

struct FailoverResult {
  std::vector<std::string> dead;
  bool promoted = false;
  std::int64_t last_tick = 0;      ///< the last one that survives, when `to` was promoted
  std::string last_tick_time;      ///< when the dead root made it: everything committed there later is lost
  std::vector<std::string> moved;  ///< nodes that read from somebody else now
  std::vector<Stranded> stranded;
};

/// Carries it out, in an order that loses nothing that any living branch still has: positions of all living nodes are
/// compared first, the most advanced branch feeds `to`, then `to` is promoted and the others are attached. May be run
/// again after it died half way.
/// @throws Refused  a node named dead answers, or another one doesn't  @throws Error, TimedOut, Stopped
FailoverResult failover(Net& net, Steps& steps, const Hooks& hooks, const Failover& request);

}  // namespace skytools::cascade
