#pragma once
#include <string>

#include "core/pgq/event.h"

namespace skytools::consumer {

/// Events as JSON objects, one per line: the format of `consumer run --exec` and `consumer print`, docs/consumers.md
/// §2.
class EventJson {
 public:
  EventJson(const std::string& queue, const std::string& consumer);
  void set_batch(const pgq::Batch& batch);
  /// Appends the object and a line end. Bytes that aren't UTF-8 become U+FFFD.
  void append(const pgq::Event& event, std::string& out) const;

 private:
  std::string who_, tail_;  ///< the members that stay the same for all events of a consumer, of a batch
};

/// "2026-01-02 03:04:05.678+00" → "2026-01-02T03:04:05.678+00:00"; other texts (infinity) stay as they are.
std::string iso_time(const std::string& time);

}  // namespace skytools::consumer
