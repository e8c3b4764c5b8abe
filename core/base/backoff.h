#pragma once
#include <algorithm>
#include <random>

#include "core/base/deadline.h"

namespace skytools {

/// Growing pauses between attempts: `first`, doubling up to `longest`, each ±25 % so that many clients of one restarted
/// server don't come back in step.
class Backoff {
 public:
  explicit Backoff(milliseconds first = milliseconds(250), milliseconds longest = std::chrono::seconds(30))
      : first_(first), longest_(longest), pause_(first) {}

  /// The pause before the next attempt.
  milliseconds next() {
    auto base = pause_.count();
    pause_ = std::min(pause_ * 2, longest_);
    std::uniform_int_distribution<milliseconds::rep> jitter(base * 3 / 4, base * 5 / 4);
    return milliseconds(jitter(random_));
  }
  /// After a success: the next failure is answered quickly again.
  void reset() { pause_ = first_; }

 private:
  milliseconds first_, longest_, pause_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace skytools
