#include "core/ticker/schedule.h"

#include <algorithm>

namespace skytools::ticker {

namespace {
constexpr milliseconds kMostSlack{5000};
}

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
  milliseconds ripe, slack{0};           // age at which the newest tick wants a successor
  if (q.new_events() > 0) {
    if (q.new_events() >= q.max_count) return {true};
    ripe = lag_limit(q, wanted);
  } else {
    if (!q.gap) return {true};
    ripe = std::max(q.max_lag / 2, std::min(2 * *q.gap, q.idle_period));
    slack = std::min(ripe / 10, kMostSlack);
  }
  return {q.age >= ripe, std::max(ripe - q.age, milliseconds(0)), slack};
}

}  // namespace skytools::ticker
