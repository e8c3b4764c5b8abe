#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/consumer/position.h"
#include "core/consumer/queue_writer.h"
#include "core/consumer/sink.h"
#include "core/consumer/target_mark.h"

namespace skytools::consumer {

/// Which queue an event goes to; `column` and `prefix` are for splitting.
struct Route {
  std::string to;              ///< connect string of the target
  std::string queue;           ///< all events go there; "": each to the queue its field names
  int column = -1;             ///< EventStream column of the field
  std::string field;           ///< its name, for messages
  std::string prefix = {};     ///< put before the field's value
  bool create_queues = false;  ///< make those that are missing
};
/// The column called extra1…extra4 or type. @throws UsageError
int route_column(const std::string& field);

/// Passes events on to queues of another database, streaming, a batch in one transaction. pgq_ext.completed_tick in the
/// target remembers the tick, as the original's SerialConsumer does, so each event arrives exactly once and in order.
class MoveSink : public Sink {
 public:
  MoveSink(Route route, StopToken& stop, std::function<void()> alive);
  void start(Source& source) override;
  bool wanted(Source& source, const pgq::Batch& batch) override;
  void process(Work& work) override;
  bool streams() const override { return true; }

  /// The queue is moved to the tick the target has. @throws Error  when the target has none
  void rewind(Source& source);
  /// The target forgets its tick. @return the one it had
  std::optional<std::int64_t> reset(Source& source);

 private:
  void connect(Source& source);
  std::optional<std::int64_t> kept_tick(pg::Transaction& tx) const;
  /// @throws Error  lost position, and when the position is that of a consumer of another queue
  Step step(pg::Transaction& tx, const pgq::Batch& batch) const;
  std::string keeper() const { return "[" + target_->label() + "] pgq_ext of the target"; }
  std::string queue_of(const pgq::EventStream& events, const pgq::Event& e) const;
  void check_queue(pg::Transaction& tx, const std::string& queue);

  Route route_;
  StopToken& stop_;
  std::function<void()> alive_;
  std::unique_ptr<pg::Connection> target_;
  std::string name_;    ///< consumer, as pgq_ext knows it
  std::string source_;  ///< the queue that is read, when it is in the target; else ""
  TargetMark mark_;
};

}  // namespace skytools::consumer
