#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/deadline.h"
#include "core/base/stop.h"
#include "core/cascade/node.h"
#include "core/londiste/table.h"

namespace skytools::londiste {

/// The local node of a Londiste set and, unless it is the root, its provider.
class Set {
 public:
  /// @throws Error  when there is no node of the queue here; pg::ConnectError
  Set(const std::string& db, std::string queue, const StopToken& stop);
  const std::string& queue() const { return queue_; }
  const cascade::NodeInfo& info() const { return info_; }
  bool root() const { return info_.type == cascade::NodeType::root; }
  pg::Connection& local() { return *local_; }
  /// Connects when first asked for; not for a root.
  pg::Connection& provider();
  const StopToken& stop() const { return stop_; }

 private:
  std::string queue_;
  const StopToken& stop_;
  std::unique_ptr<pg::Connection> local_, provider_;
  cascade::NodeInfo info_;
};

struct AddTables {
  std::vector<std::string> patterns;  ///< names and globs; `!pattern` takes away
  bool create = false;                ///< make missing tables like the provider's
  bool expect_sync = false;           ///< the rows are there already: no copy
  bool skip_truncate = false;
  bool skip_non_existing = false;  ///< leave out tables that do not exist here
  bool no_triggers = false;
  bool merge_all = false;  ///< on a merge leaf: all parts that have the table feed it
  bool no_merge = false;   ///< … or this part alone
  bool force = false;      ///< go on without the names that cannot be added
  std::string dest_table;  ///< name here, for a single table
  std::string trigger_flags;
  std::vector<std::string> trigger_args;
  std::int64_t max_parallel_copy = 0;  ///< 0: not limited
  bool dry_run = false;
};

/// What happened, or would, to one name.
struct Registration {
  std::string name;
  std::string result;  ///< "added", "already added", "skipped"
  std::string note;
};

/// Registers tables on the local node. Everything is checked first; then each table commits alone.
/// @throws Error  naming what cannot be added; nothing is added then
std::vector<Registration> add_tables(Set& set, const AddTables& request);

struct AddSequences {
  std::vector<std::string> patterns;
  bool create = false, skip_non_existing = false, force = false, dry_run = false;
};
std::vector<Registration> add_sequences(Set& set, const AddSequences& request);

/// Makes the lists of tables and sequences known here equal to the provider's.
void equalise_lists(Set& set);

/// Waits until the initial copies of these tables (none: of all) are done, telling progress in the log.
/// @throws TimedOut, Stopped, Error  a table vanished
void wait_sync(Set& set, const std::vector<std::string>& tables, const Deadline& deadline);

}  // namespace skytools::londiste
