#pragma once
#include <cstdint>
#include <string>

#include "core/pg/transaction.h"

namespace skytools::cascade {

struct LostEvents {
  std::int64_t events = 0;
  std::int64_t changes = 0;  ///< of them, those that are not the cascade's own: rows, scripts, tables
};

/// Writes all events that the consumer has before it to a new file, which is complete and on disk when it returns: a
/// JSON array, one object per line with ev_id, ev_type, ev_data, ev_extra1 … ev_extra4, ev_time (ISO 8601), ev_txid,
/// ev_retry, tick_id and prev_tick_id of its batch. The file is written under `file`.part and renamed. Format:
/// cascade.md §8.
/// @throws Error  the file can't be written
LostEvents dump_events(pg::Connection& c, const std::string& queue, const std::string& consumer,
                       const std::string& file);

/// Counts a file that dump_events() wrote. Nothing when there is none.
LostEvents count_events(const std::string& file);

}  // namespace skytools::cascade
