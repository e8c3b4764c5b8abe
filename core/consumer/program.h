#pragma once
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/deadline.h"
#include "core/base/stop.h"

namespace skytools::consumer {

/// A user's command (`/bin/sh -c`) in a process group of its own, spoken to by lines: what is written goes to its
/// stdin, its stdout comes back line by line, its stderr goes to the log. Killed and reaped with the object.
class Program {
 public:
  /// @throws Error  when it cannot be started
  explicit Program(const std::string& command);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  /// Moves data both ways until something has come of it: takes from the front of `input` what the program reads (it
  /// must be the same string each time, only appended to), hands each line it wrote to `line`. Waits at most `d`.
  /// @return false once the program has ended and all its output is read
  /// @throws Stopped  cancelled
  bool exchange(std::string& input, const std::function<void(std::string_view)>& line, milliseconds d,
                const StopToken& stop);
  bool takes_input() const noexcept { return in_ >= 0; }       ///< false: it has closed its stdin
  bool gives_output() const noexcept { return out_.fd >= 0; }  ///< false: it has closed its stdout
  /// "exit code 3", "signal 9": after exchange() has returned false
  std::string ending() const;
  /// 126, 127: the shell could not run the command. Otherwise it did run.
  bool could_not_run() const noexcept;

  /// End of input, then SIGTERM to the group after the grace period, then SIGKILL. `alive` is called meanwhile.
  void finish(milliseconds grace, const std::function<void()>& alive);
  pid_t pid() const noexcept { return pid_; }

 private:
  struct Lines {
    int fd = -1;
    std::string partial;
  };
  void send(std::string& input);
  /// Reads what is there. @return false at the end
  bool receive(Lines& from, const std::function<void(std::string_view)>& line);
  void log_line(std::string_view line) const;
  bool reap(bool wait);
  bool wait_end(milliseconds d, const std::function<void()>& alive);
  void signal_group(int number) const noexcept;

  pid_t pid_ = -1;
  int end_fd_ = -1;  ///< readable once the process has ended
  int in_ = -1;
  std::size_t sent_ = 0;  ///< bytes at the front of exchange()'s input that the program has; gone from there by and by
  Lines out_, err_;
  std::optional<int> status_;  ///< as waitpid() gives it
};

}  // namespace skytools::consumer
