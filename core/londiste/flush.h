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
  bool strict = false;      ///< from now on every change by itself and in event order (a table has replica triggers)
  std::int64_t missed = 0;  ///< updates and deletes that found no row, ever; to be read when no flush is under way

 private:
  std::map<std::string, std::size_t> slot_of_;
  std::vector<std::string> slots_;  ///< SQL by slot
  std::size_t next_slot_ = 0;
};

/// Changes in the order of their events, as far as it matters: a row of stretches, carried out one after another.
/// Within a stretch a table's changes are either folded or in event order, so its tables do not depend on each other.
struct Gathered {
  struct Stretch {
    std::map<TableName, Fold> folds;
    std::vector<Step> ordered;
    std::set<TableName> ordered_tables;  ///< those of `ordered`
    bool empty() const { return folds.empty() && ordered.empty(); }
  };
  std::vector<Stretch> stretches;
  std::size_t rows = 0, bytes = 0;

  Stretch& last();
  /// The stretch for what must come after all that is there.
  Stretch& next();
};

/// Carries out what was gathered: folds as one statement per table and operation or as COPY, the rest one by one. Uses
/// nothing but the transaction, its session and the tables' descriptions in the catalogue, so it may run in the
/// background. @throws Error  `[ev_id=…,ev_txid=…]` first where one event is at fault
void carry_out(pg::Transaction& tx, ApplySession& session, Gathered gathered);

}  // namespace skytools::londiste
