#include "core/pgq/send.h"

#include "core/base/error.h"
#include "core/base/quote.h"
#include "core/pg/copy.h"
#include "core/pgq/api.h"
#include "core/pgq/event_stream.h"

namespace skytools::pgq {

namespace {

constexpr std::size_t kFlushBytes = 4 << 20;
constexpr std::size_t kFlushEvents = 20'000;

/// Appends an element to an array literal that begins with `{`.
void append_element(std::string& array, const std::optional<std::string>& value) {
  if (array.size() > 1) array += ',';
  if (!value) {
    array += "NULL";
    return;
  }
  array += '"';
  for (char c : *value) {
    if (c == '"' || c == '\\') array += '\\';
    array += c;
  }
  array += '"';
}

/// May we write the queue's event tables ourselves? Ids come from the sequence by the column's default.
bool may_copy(pg::Transaction& tx, const QueueInfo& queue, const std::string& table) {
  return tx.value<bool>("select has_table_privilege($1, 'insert') and has_sequence_privilege($2, 'usage')", table,
                        TableName::parse(queue.event_seq).sql());
}

std::string copy_sql(const std::string& table) {
  return "copy " + table + " (ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4) from stdin";
}

constexpr const char* kCallSql =
    "select count(pgq.insert_event($1, e.type, e.data, e.extra1, e.extra2, e.extra3, e.extra4))"
    " from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])"
    " as e (type, data, extra1, extra2, extra3, extra4)";

}  // namespace

Sender::Sender(pg::Connection& c, const std::string& queue, std::int64_t commit_every)
    : c_(c), commit_every_(commit_every) {
  pg::Transaction tx(c_, pg::Mode::autocommit);
  queue_ = queue_named(tx, queue);
}

void Sender::add(NewEvent event) {
  bytes_ += event.bytes();
  waiting_.push_back(std::move(event));
  bool whole = commit_every_ && sent_ + static_cast<std::int64_t>(waiting_.size()) >= commit_every_;
  if (whole || bytes_ >= kFlushBytes || waiting_.size() >= kFlushEvents) flush();
  if (whole) commit();
}

void Sender::finish() {
  flush();
  commit();
}

std::string Sender::sql() {
  pg::Transaction tx(c_, pg::Mode::autocommit);
  std::string table = TableName::parse(current_event_table(tx, queue_.name)).sql();
  return may_copy(tx, queue_, table) ? copy_sql(table) : kCallSql;
}

void Sender::flush() {
  if (waiting_.empty()) return;
  if (!tx_) tx_.emplace(c_);
  std::int64_t first = committed_ + sent_ + 1;
  try {
    copy();
  } catch (const pg::SqlError&) {
    std::throw_with_nested(Error("events " + std::to_string(first) + " to " +
                                 std::to_string(first - 1 + static_cast<std::int64_t>(waiting_.size())) +
                                 " were not taken"));
  }
  sent_ += static_cast<std::int64_t>(waiting_.size());
  waiting_.clear();
  bytes_ = 0;
}

/// The transaction id comes before the look at which table is current: a rotation in between would otherwise count us
/// among those who know of it.
void Sender::copy() {
  tx_->exec("select txid_current()");
  std::string table = TableName::parse(current_event_table(*tx_, queue_.name)).sql();
  if (!may_copy(*tx_, queue_, table)) return call();
  std::string time = tx_->value<std::string>("select now()"), rows;
  for (NewEvent& event : waiting_) {
    rows += time;
    for (std::size_t i = 0; i < kEventFields.size(); ++i) {
      rows += '\t';
      auto& value = field(event, i);
      value ? escape_copy(*value, rows) : void(rows += "\\N");
    }
    rows += '\n';
  }
  pg::CopyIn in(*tx_, copy_sql(table));
  in.put(rows);
  in.finish();
}

void Sender::call() {
  std::array<std::string, kEventFields.size()> arrays;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    arrays[i] = "{";
    for (NewEvent& event : waiting_) append_element(arrays[i], field(event, i));
    arrays[i] += '}';
  }
  tx_->exec(kCallSql, queue_.name, arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], arrays[5]);
}

void Sender::commit() {
  if (!tx_) return;
  if (has_function(*tx_, "skytools.wake_ticker()")) tx_->exec("select skytools.wake_ticker()");
  tx_->commit();
  tx_.reset();
  committed_ += sent_;
  sent_ = 0;
}

std::string send_event_sql(const std::string& queue, const NewEvent& event) {
  NewEvent copy = event;
  std::string sql = "select pgq.insert_event(" + quote_literal(queue);
  for (std::size_t i = 0; i < kEventFields.size(); ++i) {
    auto& value = field(copy, i);
    sql += ", " + (value ? quote_literal(*value) : std::string("null"));
  }
  return sql + ")";
}

std::int64_t send_event(pg::Transaction& tx, const std::string& queue, const NewEvent& event) {
  return tx.value<std::int64_t>(send_event_sql(queue, event));
}

}  // namespace skytools::pgq
