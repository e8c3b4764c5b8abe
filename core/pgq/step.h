#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/pg/transaction.h"

namespace skytools::pgq {

/// One call that changes something, built as the text that is sent: what --dry-run shows is what would run.
struct Step {
  std::string what;  ///< for people: "create queue orders"
  std::string sql;   ///< one SELECT of one value
};

/// Runs it. @return its value; nullopt for NULL  @throws SqlError
std::optional<std::int64_t> run(pg::Transaction& tx, const Step& step);

/// The calls of `skytools queue`, one per server function, of the same name. Those of schema skytools need that schema.
namespace step {

Step create_queue(const std::string& queue);  ///< → 1 created, 0 was there
Step drop_queue(const std::string& queue, bool with_consumers);
/// @param value  as the column's type reads it
Step set_queue_config(const std::string& queue, const std::string& parameter, const std::string& value);
/// @param value  nullopt: no limit
Step set_queue_policy(const std::string& queue, const std::string& parameter, const std::optional<std::string>& value);
Step register_consumer(const std::string& queue, const std::string& consumer);  ///< → 1 registered, 0 was there
/// Moves a registered consumer, whatever it does.
Step register_consumer_at(const std::string& queue, const std::string& consumer, std::int64_t tick);
Step unregister_consumer(const std::string& queue, const std::string& consumer);  ///< → subscriptions ended
Step force_tick(const std::string& queue);                                        ///< → the newest tick now
/// → the new tick; NULL when somebody else is ticking it
Step tick(const std::string& queue);
/// Spends an event id: the next look at the queue finds a tick due.
Step spend_event_id(const std::string& queue, const std::string& sequence);
Step seek(const std::string& queue, const std::string& consumer, std::int64_t tick);  ///< refuses an open batch
Step pause_consumer(const std::string& queue, const std::string& consumer, bool pause);
/// @param ids  array of event ids, nullopt: all
Step dead_replay(const std::string& queue, const std::string& consumer, const std::optional<std::string>& ids);
Step dead_purge(const std::string& queue, const std::string& consumer, const std::optional<std::string>& ids);

}  // namespace step
}  // namespace skytools::pgq
