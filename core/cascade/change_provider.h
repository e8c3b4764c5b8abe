#pragma once
#include <string>

#include "core/cascade/hooks.h"

namespace skytools::cascade {

/// A node, or one plain consumer of it, shall read from another node.
struct Move {
  std::string node, to;
  std::string consumer = {};                      ///< "": the node's worker
  bool force = false;                             ///< also where Hooks::not_movable has reasons
  milliseconds limit = std::chrono::seconds(30);  ///< for the new provider to have the tick, and for a pause
};

/// Carries it out after net.survey(): everything is checked before anything changes, the position is read while the
/// consumer stands still, so nothing is lost or read twice. Done already is fine; a failed one leaves the old provider.
/// A provider that does not answer is left as it is. @return false when there was nothing to do
/// @throws Error, Refused, TimedOut
bool change_provider(Net& net, Steps& steps, const Hooks& hooks, const Move& move);

/// Lets `node` read from the node of `tx`, from that tick on; a subscription that is there is moved.
void subscribe_node(pg::Transaction& tx, const std::string& queue, const std::string& node, const std::string& worker,
                    std::int64_t position);

}  // namespace skytools::cascade
