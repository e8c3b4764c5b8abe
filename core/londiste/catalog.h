#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/base/quote.h"
#include "core/pg/transaction.h"

namespace skytools::londiste {

struct Column {
  std::string name;
  std::string type;        ///< quoted and qualified, without modifier: pg_catalog.int4
  std::string array_type;  ///< type of an array of it, or "" when values travel as text (arrays, composites, box)
  bool generated = false;  ///< computed here, never written
  bool identity_always = false;
  bool exact_text = false;  ///< equal values have equal text: the text may stand for the value in a lookup
};

/// What the applier must know of a destination table.
struct TableInfo {
  TableName name;
  bool partitioned = false;
  std::vector<Column> columns{};
  std::vector<std::string> primary_key{};  ///< in table column order of the key
  bool other_unique = false;               ///< another unique index or exclusion constraint: row order matters
  bool row_triggers = false;               ///< triggers that fire on replicated rows (ENABLE REPLICA/ALWAYS)

  const Column* find(std::string_view column) const;
  /// May changes of one row be folded into their net effect? Only when `keys` are the primary key and nothing else
  /// watches rows.
  bool foldable(const std::vector<std::string>& keys) const;
  std::string only() const { return partitioned ? "" : "only "; }  ///< children of a plain table are left alone
};

/// Reads TableInfo once per table and connection.
class Catalog {
 public:
  /// @throws Error  when there is no such table
  const TableInfo& get(pg::Transaction& tx, const TableName& name);
  void forget() { tables_.clear(); }

 private:
  std::map<TableName, TableInfo> tables_;
};

/// The same, not cached. @throws Error  when there is no such table
TableInfo read_table_info(pg::Transaction& tx, const TableName& name);

}  // namespace skytools::londiste
