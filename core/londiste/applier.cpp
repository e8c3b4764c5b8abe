#include "core/londiste/applier.h"

#include <algorithm>
#include <utility>

namespace skytools::londiste {

namespace {
std::size_t size_of(const Step& step) {
  std::size_t n = 100;
  if (auto* change = std::get_if<RowChange>(&step.change))
    for (auto& field : change->row) n += field.value ? field.value->size() : 0;
  if (auto* sql = std::get_if<PartialSql>(&step.change)) n += sql->text.size();
  return n;
}
}  // namespace

Applier::Applier(pg::Transaction& tx, ApplySession& session, const ApplyLimits& limits, bool one_by_one)
    : tx_(tx),
      session_(session),
      half_{std::max<std::size_t>(1, limits.max_rows / 2), std::max<std::size_t>(1, limits.max_bytes / 2)},
      one_by_one_(one_by_one),
      missed_before_(session.missed) {}

void Applier::add(Step&& step) {
  std::size_t size = size_of(step);
  if (gathered_.bytes > 0 && gathered_.bytes + size > half_.max_bytes) send();
  ++applied_;
  ++gathered_.rows;
  gathered_.bytes += size;
  if (std::holds_alternative<Truncate>(step.change)) {
    // May reach any table.
    gathered_.next().ordered.push_back(std::move(step));
    gathered_.next();
  } else if (auto* change = std::get_if<RowChange>(&step.change)) {
    RowChange row = std::move(*change);
    add_row(std::move(step), std::move(row));
  } else {
    session_.catalog.get(tx_, step.table);
    add_ordered(std::move(step));  // written SQL says nothing about keys
  }
  if (gathered_.bytes > half_.max_bytes)
    flush();  // a wide row goes alone, straight from its buffer
  else if (gathered_.rows >= half_.max_rows || gathered_.bytes >= half_.max_bytes)
    send();
}

void Applier::add_row(Step&& step, RowChange&& change) {
  // Looked up here, not while it is carried out: a pipeline allows no other statement.
  const TableInfo& table = session_.catalog.get(tx_, step.table);
  if (table.row_triggers && !session_.strict) {
    gathered_.next();
    session_.strict = true;  // its triggers may look at any table
  }
  if (one_by_one_ || session_.strict || !table.foldable(change.keys)) {
    step.change = std::move(change);
    return add_ordered(std::move(step));
  }
  bool in_order = gathered_.last().ordered_tables.contains(step.table);
  Fold* fold = &(in_order ? gathered_.next() : gathered_.last()).folds[step.table];
  if (!fold->accepts(change)) {
    fold = &gathered_.next().folds[step.table];
    if (!fold->accepts(change)) {  // an ignored column may be part of the key
      step.change = std::move(change);
      return add_ordered(std::move(step));
    }
  }
  fold->add(std::move(change));
}

void Applier::add_ordered(Step&& step) {
  auto& folds = gathered_.last().folds;
  auto fold = folds.find(step.table);
  bool folded = fold != folds.end() && !fold->second.empty();
  Gathered::Stretch& stretch = folded ? gathered_.next() : gathered_.last();
  stretch.ordered_tables.insert(step.table);
  stretch.ordered.push_back(std::move(step));
}

void Applier::send() {
  tx_.background([&tx = tx_, &session = session_, gathered = std::exchange(gathered_, {})]() mutable {
    carry_out(tx, session, std::move(gathered));
  });
}

void Applier::flush() {
  tx_.settle();
  carry_out(tx_, session_, std::exchange(gathered_, {}));
}

}  // namespace skytools::londiste
