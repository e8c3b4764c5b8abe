#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/pgq/admin.h"

namespace skytools::pgq {

/// A tick as a place where a consumer can stand.
struct Position {
  std::int64_t tick = 0;
  std::string time;           ///< ISO with zone
  std::int64_t sequence = 0;  ///< event sequence then
};

/// Where `where` is: a tick id, or a time in any form the server reads ('2026-03-01 12:00', 'today') or a duration, so
/// long ago: then the newest tick not after it, so that everything committed later comes.
/// @throws Error  saying which ticks there are  @throws UsageError  no such thing
Position find_position(pg::Transaction& tx, const QueueInfo& queue, const std::string& where);
/// The same, taken as a time whatever it looks like.
Position position_at_time(pg::Transaction& tx, const QueueInfo& queue, const std::string& time);
Position position_of_tick(pg::Transaction& tx, const QueueInfo& queue, std::int64_t tick);

}  // namespace skytools::pgq
