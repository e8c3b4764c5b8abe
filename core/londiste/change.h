#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/quote.h"
#include "core/base/urlcode.h"

namespace skytools::londiste {

enum class RowOp { insert, update, remove };

/// One row changed. `row` holds the columns of the event in its order; `keys` names the columns that identify the row.
struct RowChange {
  RowOp op;
  std::vector<Field> row;
  std::vector<std::string> keys;
};

struct Truncate {};

/// A change whose SQL the trigger has written already (sqltriga): the part after the table name.
struct PartialSql {
  RowOp op;
  std::string text;
};

using Change = std::variant<RowChange, Truncate, PartialSql>;

/// What a handler makes of an event: one change of one destination table.
struct Step {
  std::int64_t event_id;
  std::int64_t txid;
  TableName table;  ///< destination
  Change change;
};

/// The steps of one event, in order.
using ApplyPlan = std::vector<Step>;

}  // namespace skytools::londiste
