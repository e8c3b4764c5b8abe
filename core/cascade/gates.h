#pragma once
#include <string>
#include <vector>

#include "core/cascade/switchover.h"

namespace skytools::cascade {

/// Why the branch `to` should not take over from the living root `from` now: one line each, beginning with the gate's
/// name. Empty: nothing speaks against it.
std::vector<std::string> closed_gates(Net& net, const Hooks& hooks, Peer& from, Peer& to, milliseconds limit);

/// What a switchover would cost writers, measured: a tick of the root is awaited on `to`. nullopt: none came in time.
std::optional<milliseconds> rehearse(Net& net, Peer& from, Peer& to, milliseconds limit);

}  // namespace skytools::cascade
