#pragma once
#include <optional>
#include <string>

#include "core/cascade/handler.h"
#include "core/cascade/options.h"
#include "core/consumer/statement.h"
#include "core/pg/pipeline.h"

namespace skytools::run {

/// Keys of the job type "cascade_consumer".
inline constexpr config::Option kCascadeSqlOptions[] = {
    {.key = "consumer", .help = "name of the consumer; default: the job's name", .value = "NAME"},
    {.key = "sql", .help = "statement run in the local database for each event", .value = "STATEMENT"},
};
inline constexpr config::Option kCascadeRegisterOptions[] = {
    {.key = "register",
     .type = config::Type::boolean,
     .help = "make the consumer known first, at the newest tick; without --sql do nothing else",
     .where = config::Where::flag},
    {.key = "unregister",
     .type = config::Type::boolean,
     .help = "forget the consumer, then exit",
     .where = config::Where::flag},
    {.key = "provider",
     .help = "with --register: the node to read from; default: the one the worker reads",
     .value = "NODE",
     .where = config::Where::flag},
};
inline constexpr auto kCascadeConsumerOptions =
    config::joined(kCascadeSqlOptions, cascade::kLoopOptions, kCascadeRegisterOptions, cascade::kPositionOptions);

/// The handler of a plain cascaded consumer: one statement per event in the local database, pipelined, in the
/// transaction that moves the position. Parameters are those of `consumer run --sql`.
class CascadeSql : public cascade::EventHandler {
 public:
  /// @throws UsageError  a parameter that no event has
  explicit CascadeSql(const std::string& statement) : statement_(consumer::Statement::parse(statement)) {}
  void start(cascade::WorkerContext& context) override;
  void begin(cascade::WorkerContext& context, pg::Transaction& target, const pgq::Batch& batch) override;
  void event(cascade::WorkerContext& context, pg::Transaction& target, const pgq::Event& e) override;
  void finish(cascade::WorkerContext& context, pg::Transaction& target) override;
  void abandoned() noexcept override { pipeline_.reset(); }

 private:
  consumer::Statement statement_;
  std::optional<pg::Pipeline> pipeline_;  ///< of the open batch; nothing else may use its transaction
};

}  // namespace skytools::run
