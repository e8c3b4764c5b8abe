#pragma once
#include <string>

#include "core/pgq/event_stream.h"

namespace skytools::cascade {

/// Copies the events of a branch's batches into its own queue, ids kept: buffered as COPY text, stored by COPY.
class Mirror {
 public:
  Mirror(pg::Transaction& target, std::string queue) : target_(target), queue_(std::move(queue)) {}
  /// Takes the stream's current event.
  void add(const pgq::EventStream& events);
  /// Stores what is buffered. Must be called before the commit.
  void flush();

 private:
  pg::Transaction& target_;
  std::string queue_, table_, rows_;
};

}  // namespace skytools::cascade
