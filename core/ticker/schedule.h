#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace skytools::ticker {

using std::chrono::milliseconds;

/// What one look at the server tells about a queue that this ticker may tick. Ages are rounded down: never due too
/// early.
struct QueueFacts {
  std::string name;
  std::optional<std::int64_t> tick;  ///< id of the newest tick
  std::int64_t tick_event_seq = 0;   ///< event sequence as that tick recorded it
  std::optional<std::int64_t> seq;   ///< event sequence now, 0 before its first use; nothing: there is no such sequence
  std::int64_t max_count = 0;        ///< queue_ticker_max_count
  milliseconds max_lag{0};           ///< queue_ticker_max_lag
  milliseconds idle_period{0};       ///< queue_ticker_idle_period
  milliseconds age{0};               ///< of the newest tick
  std::optional<milliseconds> gap;   ///< between the newest tick and the one before
  std::string event_table;           ///< parent of the event tables, quoted
  std::string event_seq;             ///< the sequence, quoted
  std::string event_seq_oid;         ///< "" when there is none
  std::int64_t snapshot_xmax = 0;    ///< of the newest tick
  std::string snapshot_xip;          ///< of the newest tick, an array literal: transactions that were open
  bool older_ended = false;  ///< has every transaction ended that took its id before the newest tick was written?

  /// Ids taken from the sequence since the newest tick: a hint, not a count.
  std::int64_t new_events() const;
};

/// How long an event may wait for a tick. `wanted` hastens queues that still have the server's default of 3 s; a lag
/// that an operator chose is kept. Nothing: the queue's own lag.
milliseconds lag_limit(const QueueFacts& q, std::optional<milliseconds> wanted);

/// Is a tick due, and if not, when will it be if nothing more happens? The rules of pgq.ticker(queue).
struct Decision {
  bool due = false;
  milliseconds wait{0};
};
Decision decide(const QueueFacts& q, std::optional<milliseconds> wanted);

/// As soon as one of these idle queues is due: all whose newest tick has reached two thirds of the age at which it
/// wants a successor, in their order. They have the same time from then on, and stay together. Empty while none is due.
/// Each tick by itself would cost a transaction and a wake-up; no tick comes later for it.
std::vector<const QueueFacts*> idle_round(const std::vector<const QueueFacts*>& queues);

}  // namespace skytools::ticker
