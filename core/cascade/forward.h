#pragma once
#include "core/cascade/handler.h"

namespace skytools::cascade {

/// The handler of `cascade worker`: events are passed on by the worker itself and applied nowhere.
class Forward : public EventHandler {
 public:
  /// @throws Refused  tables of the queue are replicated here, which this worker would leave behind
  void start(WorkerContext& context) override;
  void event(WorkerContext&, pg::Transaction&, const pgq::Event&) override {}
};

}  // namespace skytools::cascade
