#pragma once
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/deadline.h"
#include "core/base/stop.h"

namespace skytools::run {

/// Changes to an environment: name and new value; nullopt removes.
using Environment = std::vector<std::pair<std::string, std::optional<std::string>>>;

/// How a child process starts.
struct Launch {
  std::vector<std::string> argv;      ///< the program first, by path or searched in PATH
  Environment env = {};               ///< changes to ours
  std::filesystem::path folder = {};  ///< working folder; empty: ours
  std::filesystem::path in = {};      ///< file; empty: /dev/null
  std::filesystem::path out = {};     ///< file appended to; empty: our stderr
  std::filesystem::path err = {};     ///< file appended to; empty: as out
  std::string user = {};              ///< run as this user (only root can); empty: as us
  /// What the child gets when the *thread* that started it ends, SIGKILL of our process included; 0: nothing.
  int death_signal = 0;
};

/// The changes that hide our PG* and SKYTOOLS_* variables, SKYTOOLS_PG_BINDIR excepted: the child sees what it is told,
/// nothing else.
Environment without_settings();

/// A child process in a session of its own: a Ctrl-C at the terminal is ours alone. Killed and reaped with the object.
class Child {
 public:
  /// @throws Error  when the process cannot be made; a program that cannot be run ends with 127, a user that cannot be
  /// taken with 126
  explicit Child(const Launch& launch);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  pid_t pid() const noexcept { return pid_; }
  const std::string& program() const noexcept { return program_; }
  /// Exit code, 128 + N for a signal N; nullopt when it still runs at the deadline. @throws Stopped
  std::optional<int> wait(const Deadline& deadline, const StopToken* stop = nullptr);
  bool running() { return !wait(Deadline(milliseconds(0))); }
  void signal(int number) noexcept;  ///< the process alone; nothing when it has ended
  /// SIGTERM, SIGKILL to the whole group after the grace period. @return exit code
  int end(milliseconds grace);
  /// The child outlives the object.
  void release() noexcept { released_ = true; }

 private:
  void kill_group() noexcept;

  std::string program_;
  pid_t pid_ = -1;
  int pid_fd_ = -1;  ///< readable once the process has ended
  std::optional<int> exit_code_;
  bool released_ = false;
};

/// Runs a program to its end. @throws Error  with the last lines of its output when it fails; Stopped, TimedOut
void run_to_end(Launch launch, const Deadline& deadline, const StopToken* stop);

/// A descriptor that is readable once the process has ended; -1 when there is none. (The wrapper of glibc 2.36 cannot
/// be linked from C++.)
int open_pidfd(pid_t pid) noexcept;

/// The last lines of a text file, for error messages; "" when it cannot be read.
std::string last_lines(const std::filesystem::path& file, std::size_t lines);

/// What a log says went wrong: its first lines with the word "error" or "FATAL", else its last ones.
std::string first_errors(const std::filesystem::path& file, std::size_t lines);

/// The whole file. @throws Error
std::string read_file(const std::filesystem::path& file);

}  // namespace skytools::run
