#pragma once
#include <string>
#include <vector>

#include "core/londiste/table.h"

/// Copies of several parts into one table, which go along with each other; the roles are those of
/// londiste._coordinate_copy(): the lead empties the table and takes its indexes off, then all copy at the same time,
/// and when the last is done the lead puts the indexes back.
namespace skytools::londiste {

/// Queues of other parts whose rows are in the table already.
std::vector<std::string> parts_present(pg::Transaction& target, const std::string& queue, const Table& table);

/// The lead's first step, committed: an empty table without indexes; what puts them back is stored. False: not yet, the
/// worker of another part has not begun its copy, so it may still be applying to the table.
/// @throws Error  other parts have rows there
bool prepare_merged_table(pg::Connection& target, const std::string& queue, const Table& table);

/// The lead's last step, committed: the indexes are back.
void restore_structure(pg::Connection& target, const std::string& queue, const Table& table);

/// Takes back the lead's first step, before the part is copied anew. @throws Error  other parts have rows there
void undo_preparation(pg::Connection& target, const std::string& queue, const Table& table);

/// Queues of the parts that still are to be copied into the table of a combined queue on the node `source` sees: until
/// then its rows are not all of what the queue's events build on.
std::vector<std::string> parts_missing(pg::Transaction& source, const std::string& combined, const Table& at_source);

}  // namespace skytools::londiste
