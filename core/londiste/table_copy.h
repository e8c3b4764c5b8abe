#pragma once
#include <functional>
#include <string>

#include "core/londiste/table.h"
#include "core/pg/copy.h"

namespace skytools::londiste {

struct CopyReport {
  pg::CopyTotals totals;
  std::string snapshot;  ///< the source's snapshot of the copied rows, xmin:xmax:list
};

/// What happens to the rows and indexes that are there.
enum class CopyMode {
  replace,  ///< the table is emptied first, a large one is loaded without its indexes
  add,      ///< one of several parts: the table was prepared for all of them (merge_copy.h)
};

/// Copies the source's rows into `table.dest`, through COPY. All of it happens in the two given transactions: `source`
/// must be REPEATABLE READ and fresh.
/// @param source_name  the table there; a branch may keep it under another name than the set's
CopyReport copy_table(pg::Transaction& source, pg::Transaction& target, const Table& table,
                      const TableName& source_name, CopyMode mode);

/// A reader that takes its time must not make others queue up behind us; the caller tries again later.
void limit_lock_wait(pg::Transaction& tx);

/// Drops the foreign keys from and to the table, each remembered in londiste.pending_fkeys and committed by itself.
void drop_foreign_keys(pg::Connection& target, const Table& table);

}  // namespace skytools::londiste
