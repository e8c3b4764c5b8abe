#include "core/cascade/mirror.h"

#include "core/base/quote.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {
using pgq::EventStream;
constexpr std::size_t kFlushBytes = 4 << 20;
/// ev_txid, ev_owner and ev_retry are not mirrored: the writing transaction is what the queue's ticks are about.
constexpr EventStream::Column kColumns[] = {EventStream::kTime,   EventStream::kType,   EventStream::kData,
                                            EventStream::kExtra1, EventStream::kExtra2, EventStream::kExtra3,
                                            EventStream::kExtra4};
constexpr const char* kColumnNames = "ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4";
}  // namespace

void Mirror::add(const EventStream& events) { add_row(events, events.raw(EventStream::kData)); }

void Mirror::add_with_data(const EventStream& events, std::string_view data) {
  std::string raw;
  pgq::escape_copy(data, raw);
  add_row(events, raw);
}

void Mirror::add_row(const EventStream& events, std::string_view raw_data) {
  if (ids_ == Ids::kept) rows_.append(events.raw(EventStream::kId)) += '\t';
  for (auto column : kColumns) {
    if (column != kColumns[0]) rows_ += '\t';
    rows_.append(column == EventStream::kData ? raw_data : events.raw(column));
  }
  rows_ += '\n';
  if (rows_.size() >= kFlushBytes) flush();
}

void Mirror::flush() {
  if (rows_.empty()) return;
  if (table_.empty()) {
    std::string name =
        ids_ == Ids::kept ? pgq::closed_event_table(target_, queue_) : pgq::current_event_table(target_, queue_);
    table_ = TableName::parse(name).sql();
  }
  std::string columns = std::string(ids_ == Ids::kept ? "ev_id, " : "") + kColumnNames;
  pg::CopyIn copy(target_, "copy " + table_ + " (" + columns + ") from stdin");
  copy.put(rows_);
  copy.finish();
  rows_.clear();
  if (rows_.capacity() > 2 * kFlushBytes) std::string().swap(rows_);
}

}  // namespace skytools::cascade
