#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/londiste/catalog.h"
#include "core/londiste/change.h"
#include "core/londiste/fold.h"
#include "core/londiste/statements.h"
#include "core/pg/pipeline.h"

namespace skytools::londiste {

struct ApplyLimits {
  std::size_t max_rows = 10000;      ///< rows gathered before they are sent
  std::size_t max_bytes = 8u << 20;  ///< or so many bytes of values
};

/// What one connection knows between batches: table descriptions, statements prepared there.
class ApplySession {
 public:
  Catalog catalog;
  struct Prepared {
    std::string name;    ///< on the server
    bool created;        ///< must be prepared now
    bool name_was_used;  ///< by an older statement, to be deallocated first
  };
  /// The prepared statement of `sql`; only so many are kept, the oldest gives its name away.
  Prepared prepared(const std::string& sql);
  bool strict = false;  ///< from now on every change by itself and in event order (a table has replica triggers)

 private:
  std::map<std::string, std::size_t> slot_of_;
  std::vector<std::string> slots_;  ///< SQL by slot
  std::size_t next_slot_ = 0;
};

/// Carries steps out on the target, inside one transaction: gathers, folds what may be folded, sends the rest through a
/// pipeline in event order. Bounded by rows and bytes.
class Applier {
 public:
  /// @param one_by_one  no folding: an error then names its event (used after a failed batch)
  Applier(pg::Transaction& tx, ApplySession& session, const ApplyLimits& limits, bool one_by_one);
  void add(Step&& step);
  /// Sends everything gathered. @throws Error  `[ev_id=…,ev_txid=…]` first where one event is at fault
  void flush();
  std::int64_t applied() const noexcept { return applied_; }  ///< steps taken
  std::int64_t missed() const noexcept { return missed_; }    ///< updates and deletes that found no row

 private:
  void add_row(Step&& step, RowChange&& change);
  void add_ordered(Step&& step);
  void flush_folds();
  void flush_fold(const TableName& name, Fold& fold);
  void flush_ordered();
  void run_shape(pg::Pipeline& pipeline, const Shape& shape, RowOp op, const Fold& fold,
                 const std::vector<const Fold::Row*>& rows);
  void copy_rows(const TableInfo& table, const Fold& fold, const std::vector<const Fold::Row*>& rows);
  void run_step(pg::Pipeline& pipeline, const Step& step);
  void run_prepared(pg::Pipeline& pipeline, const std::string& sql, const std::vector<const char*>& values,
                    std::int64_t tag);
  void truncate(const Step& step);

  pg::Transaction& tx_;
  ApplySession& session_;
  ApplyLimits limits_;
  bool one_by_one_;
  std::map<TableName, Fold> folds_;
  std::vector<Step> ordered_;
  std::set<TableName> ordered_tables_;  ///< those in ordered_: a table's changes are never in both places
  std::size_t rows_ = 0, bytes_ = 0;
  std::int64_t applied_ = 0, missed_ = 0;
  std::int64_t expected_ = 0, touched_ = 0;
};

}  // namespace skytools::londiste
