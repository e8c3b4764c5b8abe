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

/// Replaces the content of `table.dest` by the source's rows of `table.name`, through COPY. Large tables are loaded
/// without their indexes. All of it happens in the two given transactions: `source` must be REPEATABLE READ and fresh.
CopyReport copy_table(pg::Transaction& source, pg::Transaction& target, const Table& table);

/// Drops the foreign keys from and to the table, each remembered in londiste.pending_fkeys and committed by itself.
void drop_foreign_keys(pg::Connection& target, const Table& table);

}  // namespace skytools::londiste
