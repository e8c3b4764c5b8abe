#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/pg/transaction.h"
#include "core/pgq/new_event.h"

namespace skytools::pgq {

/// An event that a consumer gave up, as kept in schema skytools.
struct DeadLetter {
  std::string queue, consumer;
  std::string time;  ///< when it was given up, ISO with zone
  std::optional<std::string> reason;
  StoredEvent event;
};

/// Which dead letters of a queue; nothing set: all. Needs schema skytools.
struct DeadChoice {
  std::optional<std::string> consumer;
  std::vector<std::int64_t> ids;      ///< events
  std::optional<std::int64_t> limit;  ///< the oldest ones
};
/// By consumer and time.
std::vector<DeadLetter> dead_letters(pg::Transaction& tx, const std::string& queue, const DeadChoice& choice);
/// Their number; without the limit.
std::int64_t count_dead_letters(pg::Transaction& tx, const std::string& queue, const DeadChoice& choice);

/// As a bigint[] literal; nullopt for none, which means all.
std::optional<std::string> array_of(const std::vector<std::int64_t>& ids);

}  // namespace skytools::pgq
