#include "core/londiste/fold.h"

#include <algorithm>

namespace skytools::londiste {

namespace {

constexpr std::size_t kRowOverhead = 64;

std::size_t size_of(const std::vector<std::optional<std::string>>& values) {
  std::size_t n = kRowOverhead;
  for (auto& v : values) n += v ? v->size() + 8 : 8;
  return n;
}

/// May `next` follow `row`? Others (insert on insert, delete on delete …) are left to the server to judge.
bool follows(const Fold::Row& row, RowOp next) {
  bool present = !row.gone && row.op != RowOp::remove;
  return next == RowOp::insert ? !present : present;
}

}  // namespace

void Fold::set_columns(const RowChange& change) {
  columns_.clear();
  for (auto& field : change.row) columns_.push_back(field.name);
  keys_ = change.keys;
  key_columns_.clear();
  for (auto& key : keys_)
    key_columns_.push_back(
        static_cast<std::size_t>(std::find(columns_.begin(), columns_.end(), key) - columns_.begin()));
}

void Fold::make_key(const RowChange& change) {
  key_.clear();
  for (auto position : key_columns_) {
    const auto& value = change.row[position].value;
    if (key_columns_.size() == 1)
      key_ = value ? *value : "";  // a primary key is never NULL
    else
      key_ += value ? std::to_string(value->size()) + ":" + *value : "-";
  }
}

bool Fold::accepts(const RowChange& change) {
  if (rows_.empty()) {
    set_columns(change);
  } else if (change.row.size() != columns_.size() || change.keys != keys_) {
    return false;
  } else {
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (change.row[i].name != columns_[i]) return false;
  }
  for (auto position : key_columns_)
    if (position == columns_.size()) return false;
  make_key(change);
  auto [it, is_new] = by_key_.try_emplace(key_, rows_.size());
  slot_ = it->second;
  return is_new || follows(rows_[slot_], change.op);
}

void Fold::add(RowChange&& change) {
  std::vector<std::optional<std::string>> values;
  values.reserve(change.row.size());
  for (auto& field : change.row) values.push_back(std::move(field.value));
  if (slot_ == rows_.size()) {
    bytes_ += size_of(values) + key_.size();
    rows_.push_back({change.op, false, false, std::move(values)});
    return;
  }
  Row& row = rows_[slot_];
  bytes_ += size_of(values);
  bytes_ -= std::min(bytes_, size_of(row.values));
  row.values = std::move(values);
  switch (change.op) {
    case RowOp::insert:
      if (row.gone) {
        row.gone = false;  // was new in this fold: still a plain insert
      } else {
        row.op = RowOp::insert;
        row.replace = true;
      }
      break;
    case RowOp::update:
      break;  // an insert stays an insert, with newer values
    case RowOp::remove:
      if (row.op == RowOp::insert && !row.replace)
        row.gone = true;
      else
        row.op = RowOp::remove, row.replace = false;
      break;
  }
}

void Fold::clear() {
  rows_.clear();
  by_key_.clear();
  bytes_ = 0;
}

}  // namespace skytools::londiste
