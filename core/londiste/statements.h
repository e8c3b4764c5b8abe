#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/londiste/catalog.h"
#include "core/londiste/change.h"

namespace skytools::londiste {

/// SQL for one shape of change: a table, an operation and a column set. `single` takes one row (one parameter per
/// column), `many` takes one array parameter per column. Parameters follow the order of `columns`, those written before
/// the keys.
struct Shape {
  std::vector<const Column*> set;   ///< columns written (insert, update)
  std::vector<const Column*> keys;  ///< columns that find the row (update, delete)
  std::string single, many;
};

/// @param columns  the columns of the events, in their order; generated ones are left out of what is written
/// @throws Error  naming a column the table does not have
Shape make_shape(const TableInfo& table, RowOp op, const std::vector<std::string>& columns,
                 const std::vector<std::string>& keys);

/// Appends one element to an array literal under construction (starts as "{").
void append_element(std::string& array, const std::optional<std::string>& value);

}  // namespace skytools::londiste
