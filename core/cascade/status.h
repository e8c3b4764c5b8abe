#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/stop.h"
#include "core/cascade/node.h"

namespace skytools::cascade {

/// Is the node's worker there? Ours hold a lock; whoever doesn't may be a worker of the original, which shows only by
/// its reading.
enum class WorkerSign { unknown, running, missing };
std::string_view to_string(WorkerSign sign);  ///< "running", "not running", "unknown"

/// A table whose initial copy is not done: `wanted`, or the state of docs/formats.md §7.
struct CopyStatus {
  std::string table, state;
};

/// One node of the set as it was seen by asking it.
struct NodeStatus {
  std::string name, location;
  std::string type;                         ///< root, branch, leaf; "dead" when tagged so; "" when it did not answer
  std::string provider, provider_location;  ///< of a node that doesn't answer: who has it as a subscriber
  bool dead = false;
  std::optional<std::int64_t> tick;        ///< last tick completed by its worker (root: newest tick)
  std::optional<double> lag_seconds;       ///< age of that tick; root: age of the newest tick
  std::optional<std::int64_t> lag_events;  ///< events between the provider's newest tick and that tick, by sequence
  bool paused = false, uptodate = true;
  std::string worker_name;
  WorkerSign worker = WorkerSign::unknown;
  std::optional<double> last_seen;  ///< s since the worker took or finished a batch at the provider
  std::string attributes;           ///< urlencoded
  bool has_tables = false;          ///< the set is a Londiste set here
  std::int64_t tables_ok = 0, tables_half = 0, tables_ignored = 0;
  std::vector<CopyStatus> copies;
  std::vector<std::string> subscribers;   ///< as it knows them
  std::optional<std::int64_t> watermark;  ///< global watermark; none on a leaf
  std::optional<double> watermark_age;    ///< s
  bool closed = false;                    ///< a root that a switchover has closed for writes
  std::string slowest_consumer;           ///< whose position is the lowest of this node's queue; "" when nobody reads
  std::vector<std::pair<std::string, std::string>> versions;  ///< server, then schemas
  std::vector<std::string> errors;                            ///< "consumer: text", or why the node did not answer
};

/// What a node says about itself; nobody else is asked, so a leaf has no lag. @throws Error  there is no node
NodeStatus local_status(pg::Connection& c, const std::string& queue);

/// Asks every member of the set in parallel, each with a time limit; nodes that don't answer are in the result with the
/// reason. Ordered as a tree: a node before those it feeds. @throws Error  when the local database has no node of the
/// queue
std::vector<NodeStatus> set_status(pg::Connection& local, const std::string& queue, milliseconds limit,
                                   const StopToken& stop);

/// Depth of each node of set_status() below the root.
std::vector<int> depths(const std::vector<NodeStatus>& nodes);

/// Who holds back the global watermark, and so the rotation of all event tables: a node, or "consumer C of NODE". ""
/// when that isn't known.
std::string watermark_holder(const std::vector<NodeStatus>& nodes);

}  // namespace skytools::cascade
