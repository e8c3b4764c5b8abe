#include "core/londiste/applier.h"

#include <algorithm>

#include "core/log/log.h"
#include "core/pg/copy.h"
#include "core/pgq/event_stream.h"

namespace skytools::londiste {

namespace {
constexpr std::size_t kMaxStatements = 500;
constexpr std::size_t kCopyRows = 300;  ///< from so many inserts on COPY is faster than an array insert
constexpr std::int64_t kNoEvent = -1;   ///< tag of statements that stand for many events

std::size_t size_of(const Step& step) {
  std::size_t n = 100;
  if (auto* change = std::get_if<RowChange>(&step.change))
    for (auto& field : change->row) n += field.value ? field.value->size() : 0;
  if (auto* sql = std::get_if<PartialSql>(&step.change)) n += sql->text.size();
  return n;
}

/// Where the columns stand in the fold's rows.
std::vector<std::size_t> positions_of(const std::vector<const Column*>& columns, const Fold& fold) {
  std::vector<std::size_t> out;
  for (auto* column : columns)
    out.push_back(static_cast<std::size_t>(std::find(fold.columns().begin(), fold.columns().end(), column->name) -
                                           fold.columns().begin()));
  return out;
}
}  // namespace

ApplySession::Prepared ApplySession::prepared(const std::string& sql) {
  auto it = slot_of_.find(sql);
  bool created = it == slot_of_.end(), used = false;
  if (created) {
    std::size_t slot = next_slot_++ % kMaxStatements;
    if (slot < slots_.size()) {
      used = true;
      slot_of_.erase(slots_[slot]);
      slots_[slot] = sql;
    } else {
      slots_.push_back(sql);
    }
    it = slot_of_.emplace(sql, slot).first;
  }
  return {"skytools_" + std::to_string(it->second), created, used};
}

Applier::Applier(pg::Transaction& tx, ApplySession& session, const ApplyLimits& limits, bool one_by_one)
    : tx_(tx), session_(session), limits_(limits), one_by_one_(one_by_one) {}

void Applier::add(Step&& step) {
  std::size_t size = size_of(step);
  if (bytes_ > 0 && bytes_ + size > limits_.max_bytes) flush();  // a wide row goes alone, straight from its buffer
  ++applied_;
  ++rows_;
  bytes_ += size;
  if (std::holds_alternative<Truncate>(step.change)) {
    flush();
    truncate(step);
  } else if (auto* change = std::get_if<RowChange>(&step.change)) {
    RowChange row = std::move(*change);
    add_row(std::move(step), std::move(row));
  } else {
    add_ordered(std::move(step));  // written SQL says nothing about keys
  }
  if (rows_ >= limits_.max_rows || bytes_ >= limits_.max_bytes) flush();
}

void Applier::add_row(Step&& step, RowChange&& change) {
  const TableInfo& table = session_.catalog.get(tx_, step.table);
  if (table.row_triggers && !session_.strict) {
    flush();
    session_.strict = true;  // its triggers may look at any table
  }
  if (one_by_one_ || session_.strict || !table.foldable(change.keys)) {
    step.change = std::move(change);
    return add_ordered(std::move(step));
  }
  if (ordered_tables_.contains(step.table)) flush_ordered();
  Fold& fold = folds_[step.table];
  if (!fold.accepts(change)) {
    flush_fold(step.table, fold);
    if (!fold.accepts(change)) {  // an ignored column may be part of the key
      step.change = std::move(change);
      return add_ordered(std::move(step));
    }
  }
  fold.add(std::move(change));
}

void Applier::add_ordered(Step&& step) {
  if (auto it = folds_.find(step.table); it != folds_.end()) flush_fold(it->first, it->second);
  ordered_tables_.insert(step.table);
  ordered_.push_back(std::move(step));
}

void Applier::truncate(const Step& step) {
  try {
    tx_.exec("truncate " + step.table.sql() + " cascade");
  } catch (const pg::SqlError& e) {
    throw Error("[ev_id=" + std::to_string(step.event_id) + ",ev_txid=" + std::to_string(step.txid) + "] " + e.what());
  }
}

void Applier::flush() {
  flush_folds();
  flush_ordered();
  rows_ = bytes_ = 0;
}

void Applier::flush_folds() {
  for (auto& [name, fold] : folds_) flush_fold(name, fold);
}

void Applier::flush_fold(const TableName& name, Fold& fold) {
  if (fold.empty()) return;
  std::vector<const Fold::Row*> inserts, updates, removes;
  for (auto& row : fold.rows()) {
    if (row.gone) continue;
    if (row.op == RowOp::remove || row.replace) removes.push_back(&row);
    if (row.op == RowOp::insert) inserts.push_back(&row);
    if (row.op == RowOp::update) updates.push_back(&row);
  }
  const TableInfo& table = session_.catalog.get(tx_, name);
  bool copy = inserts.size() >= kCopyRows;
  {
    pg::Pipeline pipeline(tx_);
    expected_ = static_cast<std::int64_t>(removes.size() + updates.size());
    touched_ = 0;
    pipeline.on_affected = [this](std::int64_t tag, std::int64_t rows) {
      if (tag == kNoEvent) touched_ += rows;
    };
    auto run = [&](RowOp op, const std::vector<const Fold::Row*>& rows) {
      if (rows.empty()) return;
      run_shape(pipeline, make_shape(table, op, fold.columns(), fold.keys()), op, fold, rows);
    };
    run(RowOp::remove, removes);
    run(RowOp::update, updates);
    if (!copy) run(RowOp::insert, inserts);
    pipeline.sync();
    missed_ += std::max<std::int64_t>(0, expected_ - touched_);
  }
  if (copy) copy_rows(table, fold, inserts);
  fold.clear();
}

void Applier::run_shape(pg::Pipeline& pipeline, const Shape& shape, RowOp op, const Fold& fold,
                        const std::vector<const Fold::Row*>& rows) {
  std::vector<const Column*> params = shape.set;
  params.insert(params.end(), shape.keys.begin(), shape.keys.end());
  if (op == RowOp::update && shape.set.empty()) return;
  std::vector<std::size_t> positions = positions_of(params, fold);
  // Inserts are no updates: a tag of their own keeps them out of the count of rows found.
  std::int64_t tag = op == RowOp::insert ? kNoEvent - 1 : kNoEvent;
  std::vector<const char*> values;
  if (rows.size() == 1) {
    for (auto position : positions)
      values.push_back(rows[0]->values[position] ? rows[0]->values[position]->c_str() : nullptr);
    return run_prepared(pipeline, shape.single, values, tag);
  }
  std::vector<std::string> arrays(params.size(), "{");
  for (auto* row : rows)
    for (std::size_t i = 0; i < positions.size(); ++i) append_element(arrays[i], row->values[positions[i]]);
  for (auto& array : arrays) values.push_back((array += '}').c_str());
  run_prepared(pipeline, shape.many, values, tag);
}

void Applier::run_prepared(pg::Pipeline& pipeline, const std::string& sql, const std::vector<const char*>& values,
                           std::int64_t tag) {
  auto statement = session_.prepared(sql);
  if (statement.name_was_used) pipeline.exec("deallocate " + statement.name, {}, tag);
  if (statement.created) pipeline.prepare(statement.name, sql, tag);
  pipeline.run(statement.name, values, tag);
}

void Applier::copy_rows(const TableInfo& table, const Fold& fold, const std::vector<const Fold::Row*>& rows) {
  std::string names, text;
  Shape shape = make_shape(table, RowOp::insert, fold.columns(), fold.keys());
  std::vector<std::size_t> positions = positions_of(shape.set, fold);
  for (auto* column : shape.set) names += (names.empty() ? "" : ", ") + quote_ident(column->name);
  pg::CopyIn copy(tx_, "copy " + table.name.sql() + " (" + names + ") from stdin");
  for (auto* row : rows) {
    for (std::size_t i = 0; i < positions.size(); ++i) {
      if (i) text += '\t';
      const auto& value = row->values[positions[i]];
      if (value)
        pgq::escape_copy(*value, text);
      else
        text += "\\N";
    }
    text += '\n';
    if (text.size() >= 64 * 1024) copy.put(text), text.clear();
  }
  copy.put(text);
  copy.finish();
}

void Applier::run_step(pg::Pipeline& pipeline, const Step& step) {
  const TableInfo& table = session_.catalog.get(tx_, step.table);
  if (auto* sql = std::get_if<PartialSql>(&step.change)) {
    constexpr const char* kHeads[] = {"insert into ", "update ", "delete from "};
    auto op = static_cast<std::size_t>(sql->op);
    std::string only = sql->op == RowOp::insert ? "" : table.only();
    constexpr const char* kMiddles[] = {" ", " set ", " where "};
    return pipeline.exec(kHeads[op] + only + table.name.sql() + kMiddles[op] + sql->text, {}, step.event_id);
  }
  const RowChange& change = std::get<RowChange>(step.change);
  std::vector<std::string> columns;
  for (auto& field : change.row) columns.push_back(field.name);
  Shape shape = make_shape(table, change.op, columns, change.keys);
  if (change.op == RowOp::update && shape.set.empty()) return;
  std::vector<const char*> values;
  auto push = [&](const Column* column) {
    for (auto& field : change.row)
      if (field.name == column->name) return values.push_back(field.value ? field.value->c_str() : nullptr);
  };
  for (auto* column : shape.set) push(column);
  for (auto* column : shape.keys) push(column);
  run_prepared(pipeline, shape.single, values, step.event_id);
}

void Applier::flush_ordered() {
  if (ordered_.empty()) return;
  // The catalogue is read outside the pipeline, which allows no other statement.
  for (auto& step : ordered_) session_.catalog.get(tx_, step.table);
  const Step* failed = nullptr;
  try {
    pg::Pipeline pipeline(tx_);
    std::size_t i = 0;
    pipeline.on_affected = [this, &i](std::int64_t tag, std::int64_t rows) {
      if (rows > 0 || tag < 0) return;
      while (i < ordered_.size() && ordered_[i].event_id != tag) ++i;
      auto* change = i < ordered_.size() ? std::get_if<RowChange>(&ordered_[i].change) : nullptr;
      if (change && change->op != RowOp::insert) ++missed_;
    };
    for (auto& step : ordered_) run_step(pipeline, step);
    pipeline.sync();
  } catch (const pg::PipelineError& e) {
    for (auto& step : ordered_)
      if (step.event_id == e.tag()) failed = &step;
    if (!failed) throw;
    throw Error("[ev_id=" + std::to_string(failed->event_id) + ",ev_txid=" + std::to_string(failed->txid) + "] " +
                failed->table.str() + ": " + e.what());
  }
  ordered_.clear();
  ordered_tables_.clear();
}

}  // namespace skytools::londiste
