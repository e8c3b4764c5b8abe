#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/pg/transaction.h"

namespace skytools::pgq {

/// pgq.get_consumer_info(): where a consumer stands. Times in ms; nothing for what an idle member of a group has not.
struct ConsumerInfo {
  std::string queue, name;
  std::optional<milliseconds> lag;        ///< age of the last finished tick
  std::optional<milliseconds> last_seen;  ///< since it asked for or finished a batch
  std::optional<std::int64_t> last_tick, batch, next_tick;
  std::optional<std::int64_t> pending;  ///< events behind the newest tick, about
};

/// @param queue  "": of all queues  @throws Error  when there is no such queue
std::vector<ConsumerInfo> consumers(pg::Transaction& tx, const std::string& queue);

}  // namespace skytools::pgq
