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

/// Replaces the content of `table.dest` by the source's rows, through COPY. Large tables are loaded without their
/// indexes. All of it happens in the two given transactions: `source` must be REPEATABLE READ and fresh.
/// @param source_name  the table there; a branch may keep it under another name than the set's
CopyReport copy_table(pg::Transaction& source, pg::Transaction& target, const Table& table,
                      const TableName& source_name);

/// Drops the foreign keys from and to the table, each remembered in londiste.pending_fkeys and committed by itself.
void drop_foreign_keys(pg::Connection& target, const Table& table);

}  // namespace skytools::londiste
