#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/consumer/source.h"

namespace skytools::consumer {

/// Where a consumer stands on the queue, as its source knows it.
struct QueuePosition {
  std::int64_t last_tick = 0;             ///< last one finished
  std::optional<std::int64_t> next_tick;  ///< end of the open batch
  std::int64_t pending = 0;               ///< events behind the newest tick, about
};
std::optional<QueuePosition> queue_position(Source& source);

/// Moves the consumer to a tick that somebody else remembers as the last one worked off. `keeper` = "tracking file
/// '/…/pos'". @throws Error  when that tick is gone: says how many events lie between what is left, and which options
/// choose
void move_to(Source& source, std::int64_t tick, const std::string& keeper);

/// What has to be done with a batch, when the position is kept where its effect is.
enum class Step { apply, skip };
/// @throws Error  lost position: the kept tick is neither end of the batch
Step step_of(const pgq::Batch& batch, std::optional<std::int64_t> kept, const std::string& keeper);

}  // namespace skytools::consumer
