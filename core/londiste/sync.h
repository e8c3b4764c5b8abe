#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/cascade/worker.h"
#include "core/londiste/copy_job.h"
#include "core/londiste/table.h"

namespace skytools::londiste {

struct SyncSettings {
  std::size_t parallel_copies = 2;
  ApplyLimits limits;
};

/// The main worker's half of the initial copies: starts them, stands still for the hand-over, and says which tables the
/// main worker applies. States: table.h; the other half is CopyJob.
class TableSync {
 public:
  explicit TableSync(SyncSettings settings) : settings_(settings) {}

  /// Reloads the tables and moves copies on until the batch (null: none there) may be applied. False: a stop was
  /// requested.
  bool prepare(cascade::WorkerContext& context, const pgq::Batch* batch);
  /// The table whose events the main worker applies, or null when this event is none of its business.
  const Table* interesting(const std::string& table, std::int64_t txid) const;
  const std::map<std::string, Table>& tables() const { return tables_; }
  bool busy() const;                          ///< copies are running or wanted
  bool handing_over() const;                  ///< some copy waits for the main worker
  void tables_changed() { changed_ = true; }  ///< the batch told of tables: read them again before the next one
  /// Takes leftovers of copies that ended between their last steps off the queue. Once per session.
  void clean_up(cascade::WorkerContext& context);
  void cancel();
  /// Nothing is applied here in the node's present role: no copies, and the tables are read again when that changes.
  void stand_by();

 private:
  bool round(cascade::WorkerContext& context, const pgq::Batch* batch);  ///< true: look again before applying
  void load(cascade::WorkerContext& context);
  void start_job(cascade::WorkerContext& context, const std::string& table);
  bool start_over(cascade::WorkerContext& context, const Table& table);
  bool start_wanted(cascade::WorkerContext& context);
  void drop_snapshots(cascade::WorkerContext& context, const pgq::Batch& batch);
  void restore_foreign_keys(cascade::WorkerContext& context);

  SyncSettings settings_;
  std::map<std::string, Table> tables_;  ///< local ones, by global name
  std::vector<std::string> order_;       ///< their registration order
  std::map<std::string, std::unique_ptr<CopyJob>> jobs_;
  std::set<std::string> told_;  ///< what was logged already
  bool changed_ = true;
  bool pending_keys_ = false;  ///< some foreign key waits to be restored
};

}  // namespace skytools::londiste
