#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/pg/transaction.h"
#include "core/pgq/event.h"

namespace skytools::pgq {

/// An event that a consumer gave up, as kept in schema skytools.
struct DeadLetter {
  std::string queue, consumer;
  std::string time;  ///< when it was given up, ISO with zone
  std::optional<std::string> reason;
  Event event;
};

/// Oldest first; nullopt: of every consumer, without limit. Needs schema skytools.
std::vector<DeadLetter> dead_letters(pg::Transaction& tx, const std::string& queue,
                                     const std::optional<std::string>& consumer,
                                     const std::optional<std::int64_t>& limit = std::nullopt);

}  // namespace skytools::pgq
