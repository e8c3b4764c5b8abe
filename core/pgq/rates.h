#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/pg/transaction.h"

namespace skytools::pgq {

/// Events that entered a queue during a time, by the event sequence: rolled back inserts and forced ticks count, too.
struct Inflow {
  std::int64_t events = 0;
  std::chrono::milliseconds span{0};  ///< shorter than asked for where the ticks do not reach back so far
  std::optional<double> per_second() const;
};

/// What goes into a queue, read from the sequence values in its ticks.
struct Rates {
  std::string queue;
  std::string time;                          ///< of the server, ISO with zone
  std::chrono::milliseconds server_time{0};  ///< the same since 1970
  std::int64_t sequence = 0;                 ///< event sequence now
  std::int64_t new_events = 0;               ///< since the newest tick
  std::optional<std::int64_t> last_tick;
  std::optional<std::chrono::milliseconds> ticker_lag;
  Inflow minute, hour;  ///< the last minute, the last hour
};

/// By queue name; nullopt: all. Works on any PgQ schema.
std::vector<Rates> rates(pg::Transaction& tx, const std::optional<std::string>& queue = std::nullopt);

/// Between two looks at the same queue.
Inflow between(const Rates& earlier, const Rates& later);

}  // namespace skytools::pgq
