#pragma once
#include <chrono>
#include <cstdint>

namespace skytools::ticker {

using std::chrono::milliseconds;

/// How the consumers of a queue follow its ticks. Consumers whose names begin with a dot keep watermarks and don't
/// count.
struct Audience {
  bool following = false;        ///< one is at the newest ticks, or works to get there
  bool absent = false;           ///< one is behind and silent: it is down, or in a long batch
  std::int64_t behind_most = 0;  ///< ticks the slowest of those that work is behind
};

/// How long an event waits for its tick: `shortest` while the consumers keep up. Every tick is a batch to somebody, and
/// a batch has its price, however few events are in it: a consumer that falls behind gets fewer and larger ones, the
/// further behind the fewer, until it can follow; one that is absent finds a bounded number of ticks when it returns;
/// and nothing is hurried that nobody waits for.
milliseconds pace(const Audience& audience, milliseconds shortest);

}  // namespace skytools::ticker
