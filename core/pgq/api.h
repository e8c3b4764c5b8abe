#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/pg/transaction.h"
#include "core/pgq/event.h"

/// The server functions of schema pgq that programs call: one C++ function per server function, same name.
namespace skytools::pgq {

/// How large a batch should be. Nothing set: the next tick.
struct BatchShape {
  std::optional<std::int64_t> min_count = {};  ///< events, by sequence distance
  std::optional<milliseconds> min_interval =
      {};                                     ///< time between its ticks; with min_count: whichever is reached first
  std::optional<milliseconds> keep_lag = {};  ///< least age of its end tick
};

/// A duration as text of the type interval.
std::optional<std::string> interval_text(std::optional<milliseconds> d);

std::optional<Batch> next_batch(pg::Transaction& tx, const std::string& queue, const std::string& consumer,
                                const BatchShape& shape = {});
/// @return false when the batch was unknown (finished before)
bool finish_batch(pg::Transaction& tx, std::int64_t batch);
/// Registers at `tick`, or at the newest tick; an existing consumer is moved only when `tick` is given. @return true
/// when new
bool register_consumer(pg::Transaction& tx, const std::string& queue, const std::string& consumer,
                       std::optional<std::int64_t> tick = std::nullopt);
bool unregister_consumer(pg::Transaction& tx, const std::string& queue, const std::string& consumer);
/// The consumer's last finished tick; nullopt when it isn't registered.
std::optional<std::int64_t> consumer_position(pg::Transaction& tx, const std::string& queue,
                                              const std::string& consumer);
/// Asks for a tick soon. @return the newest tick now
std::optional<std::int64_t> force_tick(pg::Transaction& tx, const std::string& queue);
std::optional<std::int64_t> newest_tick(pg::Transaction& tx, const std::string& queue);
/// Makes a tick on a queue whose ticks come from outside.
void external_tick(pg::Transaction& tx, const std::string& queue, std::int64_t tick, const std::string& time,
                   std::int64_t seq);
/// `pgq.event_<N>_<i>`, unquoted, valid inside the transaction.
std::string current_event_table(pg::Transaction& tx, const std::string& queue);
/// The same for a queue whose events come from outside: it takes those of nobody else, so the function above refuses.
std::string closed_event_table(pg::Transaction& tx, const std::string& queue);
void insert_event(pg::Transaction& tx, const std::string& queue, const std::string& type, const std::string& data,
                  const std::optional<std::string>& extra1);
/// The NOTIFY channel of a queue's new ticks; nullopt for an unknown queue.
std::optional<std::string> tick_channel(pg::Transaction& tx, const std::string& queue);

}  // namespace skytools::pgq
