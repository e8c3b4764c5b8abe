#pragma once
#include <string>

#include "core/cascade/steps.h"

namespace skytools::cascade {

/// A node gets another name while all workers run.
struct Rename {
  std::string from, to;
  bool force = false;  ///< also while a member that does not read from the node is not reached
  milliseconds limit = std::chrono::seconds(30);  ///< for each node to hear of the end of a former one of the new name
};

/// The new name is made known everywhere, then the node, its provider and its subscribers go over to it one by one, and
/// when nobody uses the old one any more the root ends it. Positions, watermarks and the worker's name stay. Each step
/// leaves a set that works, and the same call again takes the steps that are left. Plain SQL, so that it works on
/// the original's schema, which has no functions for it. After net.survey().
/// @return false: nothing to do  @throws Refused, Error
bool rename_node(Net& net, Steps& steps, const Rename& request);

}  // namespace skytools::cascade
