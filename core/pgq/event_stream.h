#pragma once
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/pg/copy.h"
#include "core/pgq/event.h"

namespace skytools::pgq {

/// The events of one open batch in order of their ids, streamed: memory holds one event, whatever the size of the
/// batch. Reads through COPY of the text that pgq.batch_event_sql() gives, so it works on any PgQ schema.
class EventStream {
 public:
  /// @param filter  SQL condition over the ev_* columns, or ""
  EventStream(pg::Transaction& source, std::int64_t batch, const std::string& filter = "");
  /// From anything that gives the rows of events_copy() one by one, each valid until the next call.
  using Rows = std::function<std::optional<std::string_view>()>;
  explicit EventStream(Rows rows) : rows_(std::move(rows)) {}
  /// The next event, valid until the next call; null at the end.
  const Event* next();
  std::int64_t count() const noexcept { return count_; }

  /// Column of the current event as COPY text (still escaped, `\N` is NULL), for passing it on unchanged.
  enum Column { kId, kTime, kTxid, kRetry, kType, kData, kExtra1, kExtra2, kExtra3, kExtra4, kColumns };
  std::string_view raw(Column c) const noexcept { return raw_[c]; }
  /// Gives the memory behind raw() back: rows may be large, and decoding has copied what is needed.
  void drop_raw() {
    raw_ = {};
    if (copy_) copy_->release();
  }

 private:
  void split_row(std::string_view row);
  std::unique_ptr<pg::CopyOut> copy_;  ///< null when the rows come from elsewhere
  Rows rows_;
  std::array<std::string_view, kColumns> raw_{};
  Event event_;
  std::int64_t count_ = 0;
};

/// The COPY statement of a batch. @param batch_sql  what pgq.batch_event_sql() gave  @param filter  as for EventStream
std::string events_copy(const std::string& batch_sql, const std::string& filter = "");

/// Appends the value of one COPY text field to `out` (cleared first). False for `\N`.
bool unescape_copy(std::string_view field, std::string& out);
/// Appends `value` as a COPY text field, escaped.
void escape_copy(std::string_view value, std::string& out);

}  // namespace skytools::pgq
