#pragma once
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "core/pg/transaction.h"

namespace skytools::pg {

/// libpq pipeline mode as a scope inside a transaction: statements are sent without waiting for their answers, at most
/// kWindow in flight, buffers bounded. One focus at a time: no other statement may run on the transaction meanwhile.
class Pipeline {
 public:
  explicit Pipeline(Transaction& tx);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  /// Leaves pipeline mode; what has not been synced is waited for and its errors are dropped (the transaction is lost
  /// anyway).
  ~Pipeline();

  /// Called once per finished statement that touched rows: (tag, rows).
  std::function<void(std::int64_t, std::int64_t)> on_affected;

  /// Prepares `sql` under `name` (server side). An error is reported with `tag`.
  void prepare(const std::string& name, const std::string& sql, std::int64_t tag);
  /// Runs a prepared statement; values are NUL-terminated text, nullptr is NULL. They are copied before the call
  /// returns.
  void run(const std::string& name, std::span<const char* const> values, std::int64_t tag);
  /// Runs one unprepared statement.
  void exec(const std::string& sql, std::span<const char* const> values, std::int64_t tag);
  /// Waits for all answers. @throws PipelineError  of the first failed statement
  void sync();
  std::int64_t sent() const noexcept { return sent_; }

 private:
  void after_send(std::int64_t tag, std::size_t bytes);
  void finish();  ///< sends a sync and waits for its answer; nothing when nothing was sent since the last one
  void pump(bool until_empty);  ///< flushes and reads; blocks while over the window, or until nothing is in flight
  bool take_results();
  [[noreturn]] void throw_failure();

  Connection& c_;
  std::deque<std::int64_t> in_flight_;  ///< tags, oldest first; kSyncTag stands for a sync
  std::optional<SqlError> error_;
  std::int64_t error_tag_ = 0;
  std::int64_t sent_ = 0;
  std::size_t unflushed_bytes_ = 0;
  int unrequested_ = 0;
  bool unsynced_ =
      false;  ///< the server got statements after the last sync; after an error it ignores all until the next one
};

}  // namespace skytools::pg
