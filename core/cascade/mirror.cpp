#include "core/cascade/mirror.h"

#include "core/base/quote.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {
using pgq::EventStream;
constexpr std::size_t kFlushBytes = 4 << 20;
/// ev_txid, ev_owner and ev_retry are not mirrored: the branch's own transaction is what its ticks are about.
constexpr EventStream::Column kColumns[] = {EventStream::kId,     EventStream::kTime,   EventStream::kType,
                                            EventStream::kData,   EventStream::kExtra1, EventStream::kExtra2,
                                            EventStream::kExtra3, EventStream::kExtra4};
constexpr const char* kColumnNames = "ev_id, ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4";
}  // namespace

void Mirror::add(const EventStream& events) {
  for (auto column : kColumns) {
    if (column != kColumns[0]) rows_ += '\t';
    rows_.append(events.raw(column));
  }
  rows_ += '\n';
  if (rows_.size() >= kFlushBytes) flush();
}

void Mirror::flush() {
  if (rows_.empty()) return;
  if (table_.empty()) table_ = TableName::parse(pgq::current_event_table(target_, queue_)).sql();
  pg::CopyIn copy(target_, "copy " + table_ + " (" + kColumnNames + ") from stdin");
  copy.put(rows_);
  copy.finish();
  rows_.clear();
  if (rows_.capacity() > 2 * kFlushBytes) std::string().swap(rows_);
}

}  // namespace skytools::cascade
