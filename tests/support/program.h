#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/deadline.h"
#include "core/run/child.h"
#include "core/run/temp_folder.h"

namespace skytools::test {

/// How a program under test is started. Variables PG* and SKYTOOLS_* of the tester are hidden from it
/// (SKYTOOLS_PG_BINDIR stays).
struct ProgramOptions {
  std::vector<std::pair<std::string, std::optional<std::string>>> env =
      {};                                         ///< e.g. {"SKYTOOLS_FAILPOINTS", "x=crash"}
  std::string input = {};                         ///< its stdin
  std::filesystem::path folder = {};              ///< working folder; empty: ours
  milliseconds limit = std::chrono::seconds(60);  ///< longer is an error of the test
};

/// What a program left behind.
struct Output {
  int exit = 0;  ///< 128 + N: ended by signal N
  std::string out, err;
};

/// Runs the real binary to its end. @throws TimedOut  with what it wrote to stderr, after killing it
Output run_skytools(const std::vector<std::string>& args, const ProgramOptions& options = {});

/// Any other program, the same way.
Output run_program(const std::vector<std::string>& argv, const ProgramOptions& options = {});

/// pgbench of the throwaway server's version. @throws Error  when it fails
Output pgbench(const std::string& conninfo, const std::vector<std::string>& args);

/// The real binary running beside the test; killed with the object.
class Background {
 public:
  explicit Background(const std::vector<std::string>& args, const ProgramOptions& options = {});
  bool running() { return child_->running(); }
  pid_t pid() const { return child_->pid(); }
  void signal(int number) { child_->signal(number); }
  /// Waits for its end. @return exit code  @throws TimedOut
  int wait(milliseconds limit = std::chrono::seconds(30));
  /// SIGTERM and wait(): it may finish its batch.
  int stop(milliseconds limit = std::chrono::seconds(30));
  void kill();              ///< SIGKILL and wait
  std::string out() const;  ///< what it has written to stdout so far
  std::string log() const;  ///< and to stderr
  bool logged(const std::string& text) const { return log().find(text) != std::string::npos; }

 private:
  run::TempFolder files_;
  std::unique_ptr<run::Child> child_;
};

}  // namespace skytools::test
