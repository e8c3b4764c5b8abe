#pragma once
#include <cstdint>
#include <string>

#include "core/pgq/event_stream.h"

namespace skytools::consumer {

/// Puts events into one queue inside a transaction: type, data, extras and time are kept, ids and transaction are the
/// target's own. By COPY into the queue's current event table; without the right to do that by pgq.insert_event(),
/// which gives the events a new time.
class QueueWriter {
 public:
  QueueWriter(pg::Transaction& target, std::string queue);
  /// Takes the current event of the stream. Sent to the server by flush().
  void add(const pgq::EventStream& events);
  void flush();
  std::size_t bytes() const noexcept { return rows_.size(); }  ///< held here
  std::int64_t count() const noexcept { return count_; }

 private:
  void copy();
  void insert();

  pg::Transaction& target_;
  std::string queue_;
  std::string table_;  ///< "": no right to COPY
  std::string rows_;   ///< COPY text
  std::int64_t count_ = 0;
};

/// Tells a sleeping ticker that there are events which no producer announced. For the end of the transaction.
void wake_ticker(pg::Transaction& target);

bool queue_exists(pg::Transaction& target, const std::string& queue);

}  // namespace skytools::consumer
