#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/stop.h"
#include "core/cascade/node.h"

namespace skytools::cascade {

/// One node of the set as it was seen by asking it.
struct NodeStatus {
  std::string name, location;
  std::string type;  ///< root, branch, leaf; "dead" when tagged so; "" when it did not answer
  std::string provider;
  bool dead = false;
  std::optional<std::int64_t> tick;        ///< last tick completed by its worker (root: newest tick)
  std::optional<double> lag_seconds;       ///< age of that tick; root: age of the newest tick
  std::optional<std::int64_t> lag_events;  ///< events between the provider's newest tick and that tick, by sequence
  bool paused = false, uptodate = true;
  std::int64_t tables_ok = 0, tables_half = 0, tables_ignored = 0;
  bool has_tables = false;          ///< the set is a Londiste set here
  std::vector<std::string> errors;  ///< "consumer: text", or why the node did not answer
};

/// Asks every member of the set in parallel, each with a time limit; nodes that don't answer are in the result with the
/// reason. Ordered as a tree: a node before those it feeds. @throws Error  when the local database has no node of the
/// queue
std::vector<NodeStatus> set_status(pg::Connection& local, const std::string& queue, milliseconds limit,
                                   const StopToken& stop);

/// Depth of each node of set_status() below the root.
std::vector<int> depths(const std::vector<NodeStatus>& nodes);

}  // namespace skytools::cascade
