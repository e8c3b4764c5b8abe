#pragma once
#include <atomic>
#include <chrono>

namespace skytools {

/// A stop request in two steps that can wake a poll(): first "finish the batch", then "cancel and roll back".
/// Shared by one worker and whoever supervises it; request() and cancel() are async-signal-safe.
class StopToken {
 public:
  StopToken();
  ~StopToken();
  StopToken(const StopToken&) = delete;
  StopToken& operator=(const StopToken&) = delete;

  void request() noexcept;  ///< finish what is being done, then end
  void cancel() noexcept;   ///< implies request(); running statements are cancelled
  bool requested() const noexcept { return requested_; }
  bool cancelled() const noexcept { return cancelled_; }
  int fd() const noexcept { return request_fd_; }        ///< readable once requested
  int cancel_fd() const noexcept { return cancel_fd_; }  ///< readable once cancelled

  /// Sleeps up to `d`, until input on `fd` (-1: none), or until a stop is requested. False on a stop.
  bool wait(std::chrono::milliseconds d, int fd = -1) const;
  /// @throws Stopped  when a stop was requested
  void check() const;

 private:
  int request_fd_;
  int cancel_fd_;
  std::atomic<bool> requested_ = false;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace skytools
