#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/pgq/admin.h"
#include "core/pgq/new_event.h"

namespace skytools::pgq {

/// Puts many events into a queue, in order. Events are gathered and sent a few megabytes at a time: through COPY for
/// who may write event tables (pgq_admin, the owner), else through pgq.insert_event() in one statement, as pgq_writer
/// may. COPY passes by a queue's limit of events per transaction. The connection's client_encoding must be UTF8.
class Sender {
 public:
  /// @param commit_every  events per transaction; 0: all in one, nothing is there before finish()
  /// @throws Error  unknown queue
  Sender(pg::Connection& c, const std::string& queue, std::int64_t commit_every = 0);

  void add(NewEvent event);
  /// Sends and commits the rest.
  void finish();
  /// The statement that would store the next events.
  std::string sql();
  std::int64_t committed() const noexcept { return committed_; }

 private:
  void flush();
  void copy();
  void call();
  void commit();

  pg::Connection& c_;
  QueueInfo queue_;
  std::int64_t commit_every_;
  std::vector<NewEvent> waiting_;
  std::size_t bytes_ = 0;              ///< of waiting_
  std::optional<pg::Transaction> tx_;  ///< opened by the first flush: a slow input must not hold one open
  std::int64_t sent_ = 0, committed_ = 0;
};

/// A single event. @return its id
std::int64_t send_event(pg::Transaction& tx, const std::string& queue, const NewEvent& event);
/// The same as SQL, for --dry-run.
std::string send_event_sql(const std::string& queue, const NewEvent& event);

}  // namespace skytools::pgq
