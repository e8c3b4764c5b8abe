#pragma once
#include <string>

#include "core/cascade/hooks.h"

namespace skytools::cascade {

/// The local node takes the place of a living branch, which then reads from it. With `all` the other subscribers of
/// that branch move, too. For a root there is switchover(), for the dead failover(). @throws Error, Refused, TimedOut
void take_branch_over(Net& net, Steps& steps, const Hooks& hooks, const std::string& old, bool all, bool force);

}  // namespace skytools::cascade
