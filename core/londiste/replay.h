#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/cascade/worker.h"
#include "core/londiste/applier.h"
#include "core/londiste/handler.h"
#include "core/londiste/sync.h"

namespace skytools::londiste {

struct ReplaySettings {
  ApplyLimits limits;
  std::size_t parallel_copies = 2;
  milliseconds stats_period = std::chrono::seconds(30);
};

/// Londiste's part of the worker: routes events to the handlers of their tables and applies the plans.
class Replay : public cascade::EventHandler {
 public:
  explicit Replay(ReplaySettings settings);
  ~Replay() override;

  void start(cascade::WorkerContext& context) override;
  bool prepare(cascade::WorkerContext& context, const pgq::Batch* batch) override;
  void begin(cascade::WorkerContext& context, pg::Transaction& target, const pgq::Batch& batch) override;
  void event(cascade::WorkerContext& context, pg::Transaction& target, const pgq::Event& e) override;
  void finish(cascade::WorkerContext& context, pg::Transaction& target) override;
  void committed(cascade::WorkerContext& context) override;
  void root_round(cascade::WorkerContext& context) override;
  bool busy() const override { return sync_.busy(); }
  bool tick_by_tick() const override { return sync_.handing_over(); }

 private:
  void data_event(const pgq::Event& e);
  Handler& handler_of(const Table& table);
  void log_stats(const std::string& queue);

  ReplaySettings settings_;
  TableSync sync_;
  std::optional<ApplySession> session_;
  std::unique_ptr<Applier> applier_;
  std::map<std::string, std::unique_ptr<Handler>> handlers_;  ///< of this batch
  ApplyPlan plan_;
  bool cleaned_ = false;
  Clock::time_point sequences_due_{}, stats_due_;
  Clock::time_point batch_start_;
  std::int64_t events_ = 0, ignored_ = 0, batches_ = 0, busy_ms_ = 0;
};

}  // namespace skytools::londiste
