#pragma once
#include <chrono>

namespace skytools {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A point in time a wait must not pass; the default never comes.
class Deadline {
 public:
  Deadline() = default;
  explicit Deadline(milliseconds from_now) : end_(Clock::now() + from_now), set_(true) {}
  bool passed() const { return set_ && Clock::now() >= end_; }
  /// Time left, at least 0; `longest` when no deadline is set or it is farther away.
  milliseconds left(milliseconds longest = std::chrono::hours(1)) const {
    if (!set_) return longest;
    auto left = std::chrono::ceil<milliseconds>(end_ - Clock::now());
    return left < milliseconds(0) ? milliseconds(0) : left < longest ? left : longest;
  }

 private:
  Clock::time_point end_{};
  bool set_ = false;
};

}  // namespace skytools
