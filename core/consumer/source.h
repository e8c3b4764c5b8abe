#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/consumer/answers.h"
#include "core/pgq/api.h"

namespace skytools::consumer {

/// Who reads, and where.
struct Reader {
  std::string db;                               ///< connect string of the queue's database
  std::string queue, name;                      ///< name: of the consumer; of the group, when there is a subconsumer
  std::string subconsumer = {};                 ///< member of a cooperative group; "": the consumer reads alone
  std::optional<milliseconds> dead_after = {};  ///< a sibling silent for so long loses its batch
};

/// One session of a consumer with the queue it reads: opens batches and closes them.
class Source {
 public:
  /// Connects, checks that schemas and queue are there, and listens for ticks.
  /// @throws pg::ConnectError, SchemaMissing; Error  when there is no such queue
  Source(const Reader& reader, const pg::ConnectOptions& options);

  const Reader& reader() const noexcept { return reader_; }
  pg::Connection& connection() noexcept { return c_; }

  bool registered();
  /// @param tick  nullopt: the newest. An existing consumer is moved only when it is given. @return true when new
  bool register_at(std::optional<std::int64_t> tick);
  /// Registers when it may, else @throws Error  naming the command that does
  void require_registered(bool may_register);

  /// The next batch, opened, or the one left open before.
  std::optional<pgq::Batch> next(const pgq::BatchShape& shape);
  /// The COPY that gives the events of the batch next() has just returned. @param filter  condition over ev_*, or ""
  std::string events_copy(const std::string& filter) const;
  /// Stores the answers and closes the batch, all in `tx`, a transaction of this connection. @return false when the
  /// batch isn't ours any more: then nothing was written  @throws SchemaMissing  a dead event needs the schema skytools
  bool answer(pg::Transaction& tx, const pgq::Batch& batch, const Answers& answers);

  /// The same in a transaction of its own.
  bool answer(const pgq::Batch& batch, const Answers& answers);

  /// Sleeps until a tick of the queue, at most `d`. False on a stop.
  bool wait(milliseconds d, const StopToken& stop);

 private:
  void check_schemas();
  void listen();
  bool answer_plainly(pg::Transaction& tx, const pgq::Batch& batch, const Answers& answers);

  Reader reader_;
  pg::Connection c_;
  std::string events_sql_;
  bool has_answers_ = false;  ///< skytools.answer_batch is there
};

}  // namespace skytools::consumer
