#pragma once
#include <cstdint>
#include <string>

#include "core/cascade/net.h"

namespace skytools::cascade {

/// Waits until the worker of the local node has all that `node` has now: up to a tick made for it, if that is the root.
/// net.list() must be known. @return that tick  @throws TimedOut, Stopped, pg::ConnectError
std::int64_t catch_up(Net& net, const std::string& node, const Deadline& deadline);

/// The name of the root, found from the local node upwards. @throws pg::ConnectError, Error
std::string root_name(Net& net);

}  // namespace skytools::cascade
