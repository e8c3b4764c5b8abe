#pragma once
#include <string>
#include <vector>

#include "core/base/quote.h"
#include "core/pg/transaction.h"

namespace skytools::londiste {

/// Statements that take something off a table and put it back.
struct Removable {
  std::string name;  ///< of the index or constraint
  std::string drop, create;
};

/// Indexes and key constraints of a table that can go for the time of a bulk load: those nothing else depends on.
std::vector<Removable> removable_indexes(pg::Transaction& tx, const TableName& table);

/// Statements that create a table like the one `tx` sees: schema, columns with defaults, the sequences those use,
/// primary key. Not: other indexes, constraints, triggers, grants. @throws Error  when there is no such table
std::vector<std::string> create_table_statements(pg::Transaction& tx, const TableName& table,
                                                 const TableName& new_name);

/// The statement that creates a sequence like the one `tx` sees, unless it exists.
std::string create_sequence_statement(pg::Transaction& tx, const TableName& sequence);

bool table_exists(pg::Transaction& tx, const TableName& table);
bool sequence_exists(pg::Transaction& tx, const TableName& sequence);

}  // namespace skytools::londiste
