#pragma once
#include <string>

#include "core/base/deadline.h"
#include "core/pg/connection.h"

/// The end of a node's name goes through the queue to all nodes (pgq.unregister-location), and takes the subscription
/// of that name along wherever it arrives. A node made under the name before would lose it.
namespace skytools::cascade {

/// Has the node at `node` still to come to an event of the root that ends `name`?
bool to_hear_of_end(pg::Connection& root, pg::Connection& node, const std::string& queue, const std::string& name);

/// Waits until the node's worker has come to it. @throws TimedOut
void await_end(pg::Connection& root, pg::Connection& node, const std::string& queue, const std::string& name,
               const Deadline& deadline);

}  // namespace skytools::cascade
