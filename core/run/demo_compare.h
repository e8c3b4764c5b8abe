#pragma once
#include "core/run/demo.h"

namespace skytools::run {

/// Newest tick of the root's queue and the ticks the nodes have completed, if they are all the same; 0: they are not.
std::int64_t common_tick(const std::vector<DemoNode>& nodes, const StopToken& stop);

/// Asks the root for a tick that covers all that is committed by now. @return the newest tick before it
std::int64_t request_tick(const DemoNode& root, const StopToken& stop);

/// Counts the rows of every table of the set and sums a hash of each row's text, on all nodes in one snapshot each, and
/// makes sure that these snapshots show the same tick: `tick` and `tables` of the report. The first node is the root.
void compare(DemoReport& report, const StopToken& stop);

}  // namespace skytools::run
