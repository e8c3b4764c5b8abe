#pragma once
#include <functional>
#include <string>

#include "core/base/deadline.h"
#include "core/config/settings.h"

namespace skytools::run {

/// What the options of a daemon command ask for (config::kDaemonOptions).
struct DaemonOptions {
  bool daemon = false;                              ///< to the background
  bool stop = false, kill = false, reload = false;  ///< talk to the one that runs
  std::string pid_file;
  milliseconds patience = std::chrono::seconds(60);  ///< --stop, --kill: how long it may take to end
};
/// @throws UsageError  an option that needs --pid-file stands without it, or two exclude each other
DaemonOptions daemon_options(const config::Settings& settings);

/// Runs `work` as the options say: in the foreground under the pid file; in the background, the launching process
/// returning 0 once `work` called notify_ready(), or what it ended with before that; or doesn't run it but signals the
/// running one. Must be called before any thread exists, and `work` opens what a daemon shall keep (log file, signal
/// handlers).
/// @return exit code  @throws Refused  already running; Error  nothing runs that could be signalled; TimedOut
int run_daemon(const DaemonOptions& options, const std::function<int()>& work);

/// In a daemon: tells the launching process that the work has begun, and lets go of stdin, stdout and stderr. Errors
/// before it are still seen on the terminal. @throws Stopped  the launching process is gone (Ctrl-C), so nobody wants
/// this any more
void leave_terminal();

}  // namespace skytools::run
