#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "core/londiste/change.h"

namespace skytools::londiste {

/// Net effect of the changes of one table's rows, by key: many updates of a row become one, insert and delete vanish.
/// Only for tables where the order of different rows does not matter (TableInfo::foldable).
class Fold {
 public:
  struct Row {
    RowOp op;
    bool replace;                                    ///< deleted and inserted again: the old row goes first
    bool gone;                                       ///< inserted and deleted within the fold
    std::vector<std::optional<std::string>> values;  ///< in the order of columns()
  };

  /// Does the change fit into what is gathered (same columns, sensible sequence)? If not, flush, clear and ask again:
  /// an empty fold accepts every change whose row holds its keys.
  bool accepts(const RowChange& change);
  /// Takes the change that accepts() was just asked about and said yes to.
  void add(RowChange&& change);
  void clear();

  bool empty() const { return rows_.empty(); }
  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<std::string>& keys() const { return keys_; }
  const std::vector<Row>& rows() const { return rows_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void set_columns(const RowChange& change);
  void make_key(const RowChange& change);

  std::vector<std::string> columns_, keys_;
  std::vector<std::size_t> key_columns_;  ///< positions of keys_ in columns_
  std::vector<Row> rows_;
  std::unordered_map<std::string, std::size_t> by_key_;
  std::string key_;       ///< of the change last asked about
  std::size_t slot_ = 0;  ///< and its place in rows_; the end when it is new
  std::size_t bytes_ = 0;
};

}  // namespace skytools::londiste
