#include "core/pgq/event_stream.h"

#include "core/base/error.h"

namespace skytools::pgq {

namespace {

/// Strings that once held a large value give their memory back.
constexpr std::size_t kKeepCapacity = 1 << 20;

/// A batch of 20000 events does not fit into the default work_mem of 4 MB, and sorting on disk takes the source three
/// times as long. For this transaction only; who has given more keeps it.
constexpr const char* kBatchSql =
    "select pgq.batch_event_sql($1), case when pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('32MB')"
    " then set_config('work_mem', '32MB', true) end";

std::string batch_sql(pg::Transaction& source, std::int64_t batch) {
  return std::get<0>(source.one<std::string, std::optional<std::string>>(kBatchSql, batch));
}

void recycle(std::string& s) {
  if (s.capacity() > kKeepCapacity) std::string().swap(s);
}

}  // namespace

bool unescape_copy(std::string_view field, std::string& out) {
  out.clear();
  if (field == "\\N") return false;
  for (std::size_t at = 0;;) {
    std::size_t slash = field.find('\\', at);
    out.append(field.substr(at, slash - at));
    if (slash == std::string_view::npos || slash + 1 >= field.size()) return true;
    // The server writes only these letters; every other escaped byte stands for itself.
    char c = field[slash + 1];
    constexpr std::string_view kLetters = "bfnrtv", kBytes = "\b\f\n\r\t\v";
    auto letter = kLetters.find(c);
    out += letter == std::string_view::npos ? c : kBytes[letter];
    at = slash + 2;
  }
}

void escape_copy(std::string_view value, std::string& out) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    char c = value[i];
    if (c != '\\' && c != '\t' && c != '\n' && c != '\r') continue;
    out.append(value.substr(from, i - from));
    out += '\\';
    out += c == '\\' ? '\\' : c == '\t' ? 't' : c == '\n' ? 'n' : 'r';
    from = i + 1;
  }
  out.append(value.substr(from));
}

std::string events_copy(const std::string& batch_sql, const std::string& filter) {
  if (filter.empty()) return "copy (" + batch_sql + ") to stdout";
  return "copy (select * from (" + batch_sql + ") as ev where " + filter + " order by ev_id) to stdout";
}

EventStream::EventStream(pg::Transaction& source, std::int64_t batch, const std::string& filter)
    : copy_(std::make_unique<pg::CopyOut>(source, events_copy(batch_sql(source, batch), filter))),
      rows_([copy = copy_.get()] { return copy->next(); }) {}

void EventStream::split_row(std::string_view row) {
  if (!row.empty() && row.back() == '\n') row.remove_suffix(1);
  std::size_t at = 0, n = 0;
  while (n < kColumns) {
    std::size_t end = row.find('\t', at);
    if (end == std::string_view::npos) end = row.size();
    raw_[n++] = row.substr(at, end - at);
    if (end == row.size()) break;
    at = end + 1;
  }
  if (n != kColumns) throw Error("event row has " + std::to_string(n) + " columns, expected 10");
}

const Event* EventStream::next() {
  recycle(event_.data);
  for (auto& extra : event_.extra)
    if (extra) recycle(*extra);
  auto row = rows_();
  if (!row) return nullptr;
  split_row(*row);
  ++count_;
  event_.id = pg::parse<std::int64_t>(raw_[kId]);
  event_.txid = raw_[kTxid] == "\\N" ? 0 : pg::parse<std::int64_t>(raw_[kTxid]);
  event_.retry = raw_[kRetry] == "\\N" ? std::nullopt : std::optional(pg::parse<std::int64_t>(raw_[kRetry]));
  event_.time.assign(raw_[kTime]);
  unescape_copy(raw_[kType], event_.type);
  event_.data_null = !unescape_copy(raw_[kData], event_.data);
  for (std::size_t i = 0; i < 4; ++i) {
    auto& extra = event_.extra[i];
    if (!extra) extra.emplace();
    if (!unescape_copy(raw_[kExtra1 + i], *extra)) extra.reset();
  }
  return &event_;
}

}  // namespace skytools::pgq
