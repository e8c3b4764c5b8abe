#pragma once
#include <memory>
#include <optional>
#include <string>

#include "core/consumer/exec_sink.h"
#include "core/consumer/sink.h"
#include "core/consumer/statement.h"
#include "core/consumer/target_mark.h"
#include "core/pg/pipeline.h"

namespace skytools::consumer {

/// How the target remembers what it has.
enum class Tracking {
  automatic,  ///< the two below, whichever works; else none
  none,       ///< a batch may be repeated: the statement must bear that
  pgq_ext,    ///< in pgq_ext of the target, in the transaction of the batch: exactly once
};
/// @throws UsageError  on another word than auto, none, pgq_ext
Tracking parse_tracking(std::string_view word);

struct SqlSettings {
  std::string statement;
  std::string target;  ///< connect string; "": the database of the queue
  OnError on_error = OnError::retry;
  Tracking tracking = Tracking::automatic;
  bool finish_early =
      true;  ///< may the batch be closed in the statement's transaction? Not when a file has the position
};

/// Runs one statement per event, a batch in one transaction, pipelined. In the database of the queue the batch is
/// closed in the same transaction, elsewhere pgq_ext remembers it there: either way exactly once. Where the statement
/// fails the batch is run again with a savepoint per event, and what fails is answered as on_error says.
class SqlSink : public Sink {
 public:
  SqlSink(SqlSettings settings, StopToken& stop, std::function<void()> alive);
  void start(Source& source) override;
  bool wanted(Source& source, const pgq::Batch& batch) override;
  void process(Work& work) override;

 private:
  bool done_before(pg::Transaction& tx, const pgq::Batch& batch) const;
  /// One transaction of the target. @return false when the batch was applied before
  bool apply(Work& work, void (SqlSink::*run)(Work&, pg::Transaction&));
  void run_all(Work& work, pg::Transaction& tx);
  void run_carefully(Work& work, pg::Transaction& tx);
  void send(pg::Pipeline& pipeline, const pgq::Event& e);
  void prepare(pg::Transaction& tx);
  void failed(Work& work, const pgq::Event& e, const pg::SqlError& error);
  void commit(Work& work, pg::Transaction& tx);
  void recall_answers(Work& work);
  void remember_answers(const Work& work, pg::Transaction& tx);

  SqlSettings settings_;
  Statement statement_;
  StopToken& stop_;
  std::function<void()> alive_;
  std::unique_ptr<pg::Connection> own_;  ///< of the target, when it isn't the source
  pg::Connection* target_ = nullptr;
  bool tracks_ = false;
  std::string name_, member_;  ///< consumer and subconsumer, as pgq_ext knows them
  TargetMark mark_;
};

}  // namespace skytools::consumer
