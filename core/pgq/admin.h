#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/pg/transaction.h"

/// What `skytools queue` and its kin read about queues and consumers. Works on any PgQ schema, also without ours.
namespace skytools::pgq {

using std::chrono::milliseconds;

/// Text goes both ways as UTF-8 from now on, whatever the database's encoding; where it has none (SQL_ASCII) as it is.
void use_utf8(pg::Connection& c);

/// "15.4" and "3.5": of the server and of schema pgq.
struct Versions {
  std::string server;
  std::optional<std::string> pgq;
};
Versions versions(pg::Transaction& tx);

/// A queue's settings and state.
struct QueueInfo {
  std::string name;
  std::int64_t id = 0;
  std::string data_prefix, event_seq;  ///< `pgq.event_<N>`, `pgq.event_<N>_id_seq`, unquoted
  int tables = 0, current_table = 0;
  milliseconds rotation_period{0}, rotated_ago{0};
  bool external = false;  ///< ticks come from another node
  bool paused = false;    ///< no ticks at all
  int max_count = 0;      ///< events
  milliseconds max_lag{0}, idle_period{0};
  std::optional<milliseconds> ticker_lag;  ///< age of the newest tick
  std::optional<std::int64_t> new_events;  ///< since the newest tick, by sequence distance
  std::optional<std::int64_t> last_tick;
};

/// By name; nullopt: all.
std::vector<QueueInfo> queues(pg::Transaction& tx, const std::optional<std::string>& name = std::nullopt);
/// That one. @throws Error  when it is unknown, with a suggestion
QueueInfo queue_named(pg::Transaction& tx, const std::string& name);

/// A consumer's place in a queue.
struct ConsumerInfo {
  std::string queue, name;
  std::int64_t subscription = 0;    ///< owner of its retried events
  std::optional<milliseconds> lag;  ///< age of its last finished tick; none for an idle member of a group
  milliseconds last_seen{0};
  std::optional<std::int64_t> last_tick, batch, next_tick;  ///< the latter two while a batch is open
  std::optional<std::int64_t> pending;                      ///< events ticked and not finished, by sequence distance
  bool paused = false;
};

/// By queue and name; nullopt: all.
std::vector<ConsumerInfo> consumers(pg::Transaction& tx, const std::optional<std::string>& queue = std::nullopt,
                                    const std::optional<std::string>& consumer = std::nullopt);
std::optional<ConsumerInfo> find_consumer(pg::Transaction& tx, const std::string& queue, const std::string& consumer);
/// That one. @throws Error  when queue or consumer are unknown, with a suggestion
ConsumerInfo consumer_named(pg::Transaction& tx, const std::string& queue, const std::string& consumer);

/// One event table of a queue.
struct TableSize {
  std::string name;
  std::int64_t bytes = 0;  ///< with index and toast
};
std::vector<TableSize> table_sizes(pg::Transaction& tx, const QueueInfo& queue);

/// How a queue treats events that fail again and again; nullopt is the default of schema skytools.
struct Policy {
  std::optional<std::int64_t> retry_limit;  ///< nullopt: none
  std::optional<milliseconds> retry_delay;
  std::optional<double> retry_backoff;
  std::optional<milliseconds> retry_delay_max;
};
/// nullopt where schema skytools is missing: then there is no limit.
std::optional<Policy> policy(pg::Transaction& tx, const QueueInfo& queue);

/// What the cascade uses a queue, or a consumer of it, for: "is the queue of cascade node hq"; nullopt: nothing.
std::optional<std::string> cascade_use(pg::Transaction& tx, const std::string& queue,
                                       const std::optional<std::string>& consumer = std::nullopt);

/// Keeps hands off what a cascade needs: the queue of a node, or the consumer at which one reads.
/// @throws Refused  naming the node
void refuse_cascade(pg::Transaction& tx, const std::string& queue,
                    const std::optional<std::string>& consumer = std::nullopt);

/// Is there such a function? @param signature  "skytools.seek(text,text,bigint)"
bool has_function(pg::Transaction& tx, const std::string& signature);
/// And may we call it?
bool may_call(pg::Transaction& tx, const std::string& signature);

}  // namespace skytools::pgq
