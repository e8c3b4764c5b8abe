#pragma once
#include <string>

#include "core/pgq/event_stream.h"

namespace skytools::cascade {

/// Copies events of batches into a queue of the local database: buffered as COPY text, stored by COPY.
class Mirror {
 public:
  enum class Ids {
    kept,  ///< into the queue of a branch, which is closed for everybody else
    anew   ///< into another queue, whose sequence gives them
  };
  Mirror(pg::Transaction& target, std::string queue, Ids ids) : target_(target), queue_(std::move(queue)), ids_(ids) {}
  /// Takes the stream's current event.
  void add(const pgq::EventStream& events);
  /// The same with other data.
  void add_with_data(const pgq::EventStream& events, std::string_view data);
  /// Stores what is buffered. Must be called before the commit.
  void flush();

 private:
  void add_row(const pgq::EventStream& events, std::string_view raw_data);

  pg::Transaction& target_;
  std::string queue_;
  Ids ids_;
  std::string table_, rows_;
};

}  // namespace skytools::cascade
