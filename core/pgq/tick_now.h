#pragma once
#include <cstdint>
#include <string>

#include "core/base/deadline.h"
#include "core/pgq/admin.h"
#include "core/pgq/step.h"

namespace skytools::pgq {

/// Who makes a tick that is wanted now.
struct Ticker {
  /// We do. Only where ticks are guarded by the queue's lock, that is in our own schema: two programs that tick a queue
  /// of the original extension at once could break its order. Needs the rights of pgq_admin.
  bool ourselves = false;
  bool serving = false;  ///< a skytools ticker serves the database; others cannot be seen
};
Ticker ticker_of(pg::Transaction& tx);

/// What brings a tick about.
std::vector<Step> tick_steps(const QueueInfo& queue, const Ticker& ticker);

/// Makes or asks for a tick and waits until there is one that shows all that is committed now.
/// @return its id  @throws Error  when the queue is paused or ticked from outside  @throws TimedOut, Stopped
std::int64_t tick_now(pg::Connection& c, const std::string& queue, const Deadline& deadline);

/// @throws Error  when no tick can be made: the queue is paused or its ticks come from another node
void require_tickable(const pg::Connection& c, const QueueInfo& queue);

}  // namespace skytools::pgq
