#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/quote.h"
#include "core/pg/transaction.h"
#include "core/pgq/snapshot.h"

namespace skytools::londiste {

/// Where the initial copy of a table stands (table_info.merge_state); who moves it on is told in docs/formats.md §7.
struct MergeState {
  enum Kind { wanted, in_copy, catching_up, wanna_sync, do_sync, ok };
  Kind kind = wanted;     ///< wanted: NULL in the table
  std::int64_t tick = 0;  ///< of wanna_sync and do_sync

  /// @throws Error  on unknown text
  static MergeState parse(const std::optional<std::string>& text);
  std::optional<std::string> str() const;
  bool copying() const { return kind != wanted && kind != ok; }
  bool operator==(const MergeState&) const = default;
};

/// One row of londiste.get_table_list().
struct Table {
  std::string name;    ///< global name, schema included
  bool local = false;  ///< used on this node
  MergeState state;
  std::optional<std::string> snapshot_text;  ///< provider's snapshot at the copy: what it shows is not applied again
  std::optional<pgq::Snapshot> snapshot;
  std::map<std::string, std::string> attributes;
  std::optional<std::string> dropped_ddl;
  std::string copy_role;  ///< "" when none
  std::int64_t copy_position = 0;
  TableName dest;  ///< the table here

  std::string attribute(const std::string& key) const;
};

struct Sequence {
  std::string name;
  std::int64_t last_value = 0;  ///< last published
  bool local = false;
};

/// The tables of the set in registration order.
std::vector<Table> table_list(pg::Transaction& tx, const std::string& queue);
std::optional<Table> find_table(pg::Transaction& tx, const std::string& queue, const std::string& name);
std::vector<Sequence> sequence_list(pg::Transaction& tx, const std::string& queue);
bool find_sequence(pg::Transaction& tx, const std::string& queue, const std::string& name);
/// Moves a table on, if it still is in state `from`: somebody may have asked for a new copy meanwhile. @return false if
/// not
bool move_table_state(pg::Transaction& tx, const std::string& queue, const std::string& table, const MergeState& from,
                      const std::optional<std::string>& snapshot, const MergeState& to);

/// Is the table still in that state? If so nobody changes that before the transaction ends.
bool table_state_holds(pg::Transaction& tx, const std::string& queue, const std::string& table,
                       const MergeState& state);

/// How messages call one consumer of a table's initial copy: `<worker>.copy.<schema.table>`.
std::string copy_consumer(const std::string& worker, const std::string& table);

}  // namespace skytools::londiste
