#include "core/londiste/flush.h"

#include <algorithm>
#include <optional>

#include "core/pg/copy.h"
#include "core/pgq/event_stream.h"

namespace skytools::londiste {

namespace {

using Rows = std::vector<const Fold::Row*>;

constexpr std::size_t kMaxStatements = 500;
constexpr std::size_t kCopyRows = 300;  ///< from so many inserts on COPY is faster than an array insert
/// Tags of statements that stand for many events; those of the others count the steps.
constexpr std::int64_t kFolded = -1, kFoldedInsert = -2;

/// Where the columns stand in the fold's rows.
std::vector<std::size_t> positions_of(const std::vector<const Column*>& columns, const Fold& fold) {
  std::vector<std::size_t> out;
  for (auto* column : columns)
    out.push_back(static_cast<std::size_t>(std::find(fold.columns().begin(), fold.columns().end(), column->name) -
                                           fold.columns().begin()));
  return out;
}

const char* text_of(const std::optional<std::string>& value) { return value ? value->c_str() : nullptr; }

/// One call of carry_out(). COPY cannot run in a pipeline: each stretch's pipeline part goes first, then its COPYs.
class Run {
 public:
  Run(pg::Transaction& tx, ApplySession& session) : tx_(tx), session_(session) {}
  void stretch(const Gathered::Stretch& stretch);
  void finish();
  /// The step whose statement failed; null when it stood for many.
  const Step* culprit(const pg::PipelineError& e) const;

 private:
  struct Copy {
    const TableInfo& table;
    const Fold& fold;
    Rows rows;
  };
  pg::Pipeline& pipeline();
  void close_pipeline();
  void count(std::int64_t tag, std::int64_t rows);
  void fold(const TableInfo& table, const Fold& fold, std::vector<Copy>& copies);
  void shape(const Shape& shape, RowOp op, const Fold& fold, const Rows& rows);
  void step(const Step& step);
  void prepared(const std::string& sql, const std::vector<const char*>& values, std::int64_t tag);
  void copy(const Copy& copy);

  pg::Transaction& tx_;
  ApplySession& session_;
  std::vector<const Step*> steps_;  ///< those sent, by tag
  std::optional<pg::Pipeline> pipeline_;
  std::int64_t expected_ = 0, touched_ = 0;  ///< rows of folded updates and deletes
};

pg::Pipeline& Run::pipeline() {
  if (!pipeline_) {
    pipeline_.emplace(tx_);
    pipeline_->on_affected = [this](std::int64_t tag, std::int64_t rows) { count(tag, rows); };
  }
  return *pipeline_;
}

void Run::close_pipeline() {
  if (pipeline_) pipeline_->sync();
  pipeline_.reset();
}

void Run::count(std::int64_t tag, std::int64_t rows) {
  if (tag == kFolded) touched_ += rows;
  if (tag < 0 || rows > 0) return;
  auto* change = std::get_if<RowChange>(&steps_[static_cast<std::size_t>(tag)]->change);
  if (change && change->op != RowOp::insert) ++session_.missed;
}

const Step* Run::culprit(const pg::PipelineError& e) const {
  return e.tag() < 0 ? nullptr : steps_[static_cast<std::size_t>(e.tag())];
}

void Run::prepared(const std::string& sql, const std::vector<const char*>& values, std::int64_t tag) {
  auto statement = session_.prepared(sql);
  if (statement.name_was_used) pipeline().exec("deallocate " + statement.name, {}, tag);
  if (statement.created) pipeline().prepare(statement.name, sql, tag);
  pipeline().run(statement.name, values, tag);
}

void Run::shape(const Shape& shape, RowOp op, const Fold& fold, const Rows& rows) {
  if (op == RowOp::update && shape.set.empty()) return;
  std::vector<const Column*> params = shape.set;
  params.insert(params.end(), shape.keys.begin(), shape.keys.end());
  std::vector<std::size_t> positions = positions_of(params, fold);
  std::int64_t tag = op == RowOp::insert ? kFoldedInsert : kFolded;
  std::vector<const char*> values;
  if (rows.size() == 1) {
    for (auto position : positions) values.push_back(text_of(rows[0]->values[position]));
    return prepared(shape.single, values, tag);
  }
  std::vector<std::string> arrays(params.size(), "{");
  for (auto* row : rows)
    for (std::size_t i = 0; i < positions.size(); ++i) append_element(arrays[i], row->values[positions[i]]);
  for (auto& array : arrays) values.push_back((array += '}').c_str());
  prepared(shape.many, values, tag);
}

void Run::fold(const TableInfo& table, const Fold& fold, std::vector<Copy>& copies) {
  Rows inserts, updates, removes;
  for (auto& row : fold.rows()) {
    if (row.gone) continue;
    if (row.op == RowOp::remove || row.replace) removes.push_back(&row);
    if (row.op == RowOp::insert) inserts.push_back(&row);
    if (row.op == RowOp::update) updates.push_back(&row);
  }
  expected_ += static_cast<std::int64_t>(removes.size() + updates.size());
  auto run = [&](RowOp op, const Rows& rows) {
    if (!rows.empty()) shape(make_shape(table, op, fold.columns(), fold.keys()), op, fold, rows);
  };
  run(RowOp::remove, removes);
  run(RowOp::update, updates);
  if (inserts.size() < kCopyRows)
    run(RowOp::insert, inserts);
  else
    copies.push_back({table, fold, std::move(inserts)});
}

void Run::copy(const Copy& copy) {
  std::string names, text;
  Shape shape = make_shape(copy.table, RowOp::insert, copy.fold.columns(), copy.fold.keys());
  std::vector<std::size_t> positions = positions_of(shape.set, copy.fold);
  for (auto* column : shape.set) names += (names.empty() ? "" : ", ") + quote_ident(column->name);
  pg::CopyIn in(tx_, "copy " + copy.table.name.sql() + " (" + names + ") from stdin");
  for (auto* row : copy.rows) {
    for (std::size_t i = 0; i < positions.size(); ++i) {
      if (i) text += '\t';
      const auto& value = row->values[positions[i]];
      if (value)
        pgq::escape_copy(*value, text);
      else
        text += "\\N";
    }
    text += '\n';
    if (text.size() >= 64 * 1024) in.put(text), text.clear();
  }
  in.put(text);
  in.finish();
}

void Run::step(const Step& step) {
  auto tag = static_cast<std::int64_t>(steps_.size());
  steps_.push_back(&step);
  if (std::holds_alternative<Truncate>(step.change))
    return pipeline().exec("truncate " + step.table.sql() + " cascade", {}, tag);
  const TableInfo& table = session_.catalog.get(tx_, step.table);
  if (auto* sql = std::get_if<PartialSql>(&step.change)) {
    constexpr const char* kHeads[] = {"insert into ", "update ", "delete from "};
    constexpr const char* kMiddles[] = {" ", " set ", " where "};
    auto op = static_cast<std::size_t>(sql->op);
    std::string only = sql->op == RowOp::insert ? "" : table.only();
    return pipeline().exec(kHeads[op] + only + table.name.sql() + kMiddles[op] + sql->text, {}, tag);
  }
  const RowChange& change = std::get<RowChange>(step.change);
  std::vector<std::string> columns;
  for (auto& field : change.row) columns.push_back(field.name);
  Shape shape = make_shape(table, change.op, columns, change.keys);
  if (change.op == RowOp::update && shape.set.empty()) return;
  std::vector<const char*> values;
  auto push = [&](const Column* column) {
    for (auto& field : change.row)
      if (field.name == column->name) return values.push_back(text_of(field.value));
  };
  for (auto* column : shape.set) push(column);
  for (auto* column : shape.keys) push(column);
  prepared(shape.single, values, tag);
}

void Run::stretch(const Gathered::Stretch& stretch) {
  std::vector<Copy> copies;
  for (auto& [name, rows] : stretch.folds)
    if (!rows.empty()) fold(session_.catalog.get(tx_, name), rows, copies);
  for (auto& one : stretch.ordered) step(one);
  if (!copies.empty()) close_pipeline();
  for (auto& one : copies) copy(one);
}

void Run::finish() {
  close_pipeline();
  session_.missed += std::max<std::int64_t>(0, expected_ - touched_);
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

Gathered::Stretch& Gathered::last() { return stretches.empty() ? stretches.emplace_back() : stretches.back(); }

Gathered::Stretch& Gathered::next() { return last().empty() ? last() : stretches.emplace_back(); }

void carry_out(pg::Transaction& tx, ApplySession& session, Gathered gathered) {
  Run run(tx, session);
  try {
    for (auto& stretch : gathered.stretches) run.stretch(stretch);
    run.finish();
  } catch (const pg::PipelineError& e) {
    const Step* failed = run.culprit(e);
    if (!failed) throw;
    throw Error("[ev_id=" + std::to_string(failed->event_id) + ",ev_txid=" + std::to_string(failed->txid) + "] " +
                failed->table.str() + ": " + e.what());
  }
}

}  // namespace skytools::londiste
