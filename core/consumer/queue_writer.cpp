#include "core/consumer/queue_writer.h"

#include <array>
#include <optional>

#include "core/base/quote.h"
#include "core/pg/copy.h"
#include "core/pg/pipeline.h"
#include "core/pgq/api.h"

namespace skytools::consumer {

namespace {
using pgq::EventStream;
constexpr EventStream::Column kColumns[] = {EventStream::kTime,   EventStream::kType,   EventStream::kData,
                                            EventStream::kExtra1, EventStream::kExtra2, EventStream::kExtra3,
                                            EventStream::kExtra4};
constexpr const char* kColumnNames = "ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4";
}  // namespace

QueueWriter::QueueWriter(pg::Transaction& target, std::string queue) : target_(target), queue_(std::move(queue)) {
  std::string table = TableName::parse(pgq::current_event_table(target_, queue_)).sql();
  if (target_.value<bool>("select has_table_privilege($1, 'insert')", table)) table_ = table;
}

void QueueWriter::add(const EventStream& events) {
  for (auto column : kColumns) {
    if (column != kColumns[0]) rows_ += '\t';
    rows_.append(events.raw(column));
  }
  rows_ += '\n';
  ++count_;
}

void QueueWriter::flush() {
  if (rows_.empty()) return;
  table_.empty() ? insert() : copy();
  rows_.clear();
}

void QueueWriter::copy() {
  pg::CopyIn in(target_, "copy " + table_ + " (" + kColumnNames + ") from stdin");
  in.put(rows_);
  in.finish();
}

void QueueWriter::insert() {
  pg::Pipeline pipeline(target_);
  std::array<std::string, std::size(kColumns)> values;
  std::string_view rest = rows_;
  while (!rest.empty()) {
    std::array<const char*, std::size(kColumns)> parameters{queue_.c_str()};
    for (std::size_t i = 0; i < std::size(kColumns); ++i) {
      auto end = rest.find_first_of("\t\n");
      bool set = pgq::unescape_copy(rest.substr(0, end), values[i]);
      rest.remove_prefix(end + 1);
      if (i > 0) parameters[i] = set ? values[i].c_str() : nullptr;  // the time has no place
    }
    pipeline.exec("select pgq.insert_event($1, $2, $3, $4, $5, $6, $7)", parameters, 0);
  }
  pipeline.sync();
}

void wake_ticker(pg::Transaction& target) {
  if (target.value<bool>("select to_regprocedure('skytools.wake_ticker()') is not null"
                         " and has_schema_privilege('skytools', 'usage')"))
    target.exec("select skytools.wake_ticker()");
}

bool queue_exists(pg::Transaction& target, const std::string& queue) {
  return target.exec("select 1 from pgq.get_queue_info($1)", queue).rows() > 0;
}

}  // namespace skytools::consumer
