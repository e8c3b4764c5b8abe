#include "core/ticker/schedule.h"

#include <algorithm>

namespace skytools::ticker {

namespace {

/// Age at which the newest tick wants a successor though nothing happened; also `share` of it, but never below the
/// least age of any idle tick.
milliseconds idle_age(const QueueFacts& q, double share = 1) {
  milliseconds full = std::min(2 * *q.gap, q.idle_period);
  return std::max(q.max_lag / 2, std::chrono::ceil<milliseconds>(full * share));
}

}  // namespace

std::int64_t QueueFacts::new_events() const {
  // Ticks of the original say 1 where no event was ever inserted.
  std::int64_t now = seq.value_or(0);
  return now == 0 && tick_event_seq == 1 ? 0 : now - tick_event_seq;
}

milliseconds lag_limit(const QueueFacts& q, std::optional<milliseconds> wanted) {
  constexpr milliseconds kServerDefault = std::chrono::seconds(3);
  return wanted && q.max_lag == kServerDefault ? std::min(*wanted, q.max_lag) : q.max_lag;
}

Decision decide(const QueueFacts& q, std::optional<milliseconds> wanted) {
  if (!q.tick || !q.seq) return {true};  // without its sequence the server's error shall be seen
  milliseconds ripe;                     // age at which the newest tick wants a successor
  if (q.new_events() > 0) {
    if (q.new_events() >= q.max_count) return {true};
    ripe = lag_limit(q, wanted);
  } else {
    if (!q.gap) return {true};
    ripe = idle_age(q);
  }
  return {q.age >= ripe, std::max(ripe - q.age, milliseconds(0))};
}

std::vector<const QueueFacts*> idle_round(const std::vector<const QueueFacts*>& queues) {
  constexpr double kRipeEnough = 2.0 / 3;
  std::vector<const QueueFacts*> round;
  bool due = false;
  for (const QueueFacts* q : queues) {
    if (!q->tick || !q->seq || q->new_events() > 0) continue;
    due = due || decide(*q, std::nullopt).due;
    if (!q->gap || q->age >= idle_age(*q, kRipeEnough)) round.push_back(q);
  }
  return due ? round : std::vector<const QueueFacts*>{};
}

}  // namespace skytools::ticker
