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

}  // namespace skytools::consumer
