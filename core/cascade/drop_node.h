#pragma once
#include <string>

#include "core/cascade/hooks.h"

namespace skytools::cascade {

/// A node leaves the set.
struct NodeDrop {
  std::string node;
  bool force = false;  ///< also while no root answers
};

/// Cleans the node's own database, if it answers, and what all other nodes that answer know about it: location,
/// subscription, watermark, gravestone and consumers of copies. May be run again after any failure. After
/// net.survey(true).
/// @return false: its own database could not be cleaned  @throws Refused  it feeds others, or is the root
bool drop_node(Net& net, Steps& steps, const Hooks& hooks, const NodeDrop& request);

}  // namespace skytools::cascade
