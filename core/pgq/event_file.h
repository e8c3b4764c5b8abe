#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/stop.h"
#include "core/pgq/csv.h"
#include "core/pgq/new_event.h"

namespace skytools::pgq {

/// Events from a stream of text, one after the other; memory holds one of them. UTF-8.
class EventFile {
 public:
  virtual ~EventFile() = default;
  /// @throws Error  "line 17: …"; Stopped
  virtual std::optional<NewEvent> next() = 0;
  virtual std::int64_t line() const = 0;  ///< of the last event
};

/// One JSON object per line; empty lines are skipped.
std::unique_ptr<EventFile> jsonl_file(ByteSource source);
/// Records whose first one names the fields.
std::unique_ptr<EventFile> csv_file(ByteSource source);

/// Bytes of a descriptor; a stop ends the wait for them.
ByteSource read_from(int fd, const StopToken& stop);

}  // namespace skytools::pgq
