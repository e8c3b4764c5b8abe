#pragma once
#include <atomic>
#include <cstdint>

namespace skytools::ticker {

/// What a database's ticker is doing.
enum class State { starting, serving, standby, recovery, no_schema, failing };
constexpr const char* state_name(State s) {
  constexpr const char* kNames[] = {"starting", "serving", "standby", "recovery", "no schema", "failing"};
  return kNames[static_cast<int>(s)];
}

/// Counters of one database since its start; read by the stats line while both threads of the database count.
struct Stats {
  std::atomic<std::int64_t> ticks = 0;   ///< ticks made
  std::atomic<std::int64_t> maint = 0;   ///< finished maintenance rounds
  std::atomic<std::int64_t> retry = 0;   ///< events moved back from the retry queue
  std::atomic<std::int64_t> errors = 0;  ///< failed ticks, operations and connections
  std::atomic<State> state = State::starting;
};

}  // namespace skytools::ticker
