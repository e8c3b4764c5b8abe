#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "core/base/deadline.h"

namespace skytools::ui {

/// Progress of one long step. On a terminal a bar on stderr, redrawn at most 10 times a second; otherwise one line
/// every 10 s handed to `report`: "public.t: 45 % of 1.2 GB, 80.1 MB/s, 12s left". Thread-safe.
class Progress {
 public:
  enum class Unit { rows, bytes };
  using Report = std::function<void(const std::string&)>;

  /// @param total  expected amount, 0 when unknown   @param report  gets whole lines, usually log::info
  Progress(std::string what, std::int64_t total, Unit unit, Report report);
  ~Progress();  ///< finishes
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(std::int64_t amount);
  void finish();  ///< clears the bar, or reports the last line if any was reported

  /// The line for an amount done after that time (pure, for tests).
  static std::string line(const std::string& what, std::int64_t done, std::int64_t total, Unit unit,
                          milliseconds elapsed);

 private:
  void show(Clock::time_point now);

  std::string what_;
  std::int64_t total_, done_ = 0;
  Unit unit_;
  Report report_;
  bool bar_, shown_ = false, finished_ = false;
  Clock::time_point start_, next_;
  std::mutex mutex_;
};

}  // namespace skytools::ui
