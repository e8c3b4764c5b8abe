#include "core/run/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "core/base/error.h"
#include "core/run/child.h"
#include "core/run/pid_file.h"

namespace skytools::run {

namespace {

/// In a daemon that has not begun its work: the pipe its launching process waits at. One per process, as the terminal
/// is.
int g_starter_fd = -1;

constexpr milliseconds kSecondSignal{300};  // after the first, which must have been seen

void redirect_to_nothing(int fd, int flags) {
  int nothing = open("/dev/null", flags);
  if (nothing < 0) return;
  dup2(nothing, fd);
  if (nothing != fd) close(nothing);
}

void send(pid_t pid, int signal) {
  if (::kill(pid, signal) < 0)
    throw Error("cannot signal process " + std::to_string(pid) + ": " + std::strerror(errno));
}

/// True when the process ended in time.
bool wait_for_end(int pid_fd, const Deadline& deadline) {
  pollfd p{pid_fd, POLLIN, 0};
  while (poll(&p, 1, static_cast<int>(deadline.left().count())) == 0)
    if (deadline.passed()) return false;
  return true;
}

/// --stop: the batch is finished. --kill: a second signal, what runs is cancelled. --reload: files are read again.
int signal_running(const DaemonOptions& options) {
  std::optional<pid_t> pid = pid_file_holder(options.pid_file);
  if (!pid) throw Error("not running (pid file '" + options.pid_file + "')");
  if (options.reload) {
    send(*pid, SIGHUP);
    return 0;
  }
  Deadline deadline(options.patience);
  int process = open_pidfd(*pid);
  if (process < 0) throw Error("process " + std::to_string(*pid) + " has just ended");
  send(*pid, SIGTERM);
  bool ended = wait_for_end(process, options.kill ? Deadline(std::min(kSecondSignal, options.patience)) : deadline);
  if (!ended && options.kill) {
    send(*pid, SIGTERM);
    ended = wait_for_end(process, deadline);
  }
  close(process);
  if (ended) return 0;
  throw TimedOut("process " + std::to_string(*pid) + " has not ended yet" +
                 (options.kill ? "" : "; --kill cancels what it does"));
}

/// The launching process: 0 once the daemon works, else what it ended with.
int wait_for_start(int fd, pid_t child) {
  char byte;
  ssize_t n;
  while ((n = read(fd, &byte, 1)) < 0 && errno == EINTR) {
  }
  close(fd);
  if (n == 1) return 0;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

DaemonOptions daemon_options(const config::Settings& settings) {
  DaemonOptions out;
  out.daemon = settings.boolean("daemon");
  out.stop = settings.boolean("stop");
  out.kill = settings.boolean("kill");
  out.reload = settings.boolean("reload");
  out.pid_file = settings.text("pid_file");
  if (settings.has("timeout")) out.patience = settings.duration("timeout");
  std::string asked;
  for (const char* key : {"daemon", "stop", "kill", "reload"}) {
    if (!settings.boolean(key)) continue;
    if (!asked.empty()) throw UsageError("--" + asked + " and --" + key + " exclude each other");
    asked = key;
  }
  if (!asked.empty() && out.pid_file.empty()) throw UsageError("--" + asked + " needs --pid-file");
  if (!settings.boolean("dry_run")) return out;
  if (out.stop || out.kill || out.reload) throw UsageError("--dry-run does not go with --" + asked);
  return {};  // only tells what it would do: in the foreground, whoever holds the pid file
}

int run_daemon(const DaemonOptions& options, const std::function<int()>& work) {
  if (options.stop || options.kill || options.reload) return signal_running(options);
  std::optional<PidFile> pid_file;
  if (!options.pid_file.empty()) pid_file.emplace(options.pid_file);
  if (options.daemon) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) throw Error(std::string("cannot make a pipe: ") + std::strerror(errno));
    pid_t child = fork();
    if (child < 0) throw Error(std::string("cannot fork: ") + std::strerror(errno));
    close(ends[child ? 1 : 0]);
    if (child) {
      pid_file->release();
      return wait_for_start(ends[0], child);
    }
    g_starter_fd = ends[1];
    setsid();
    redirect_to_nothing(STDIN_FILENO, O_RDONLY);
  }
  if (pid_file) pid_file->write();
  return work();
}

void leave_terminal() {
  if (g_starter_fd < 0) return;
  bool told = ::write(g_starter_fd, "r", 1) == 1;
  close(g_starter_fd);
  g_starter_fd = -1;
  redirect_to_nothing(STDOUT_FILENO, O_WRONLY);
  redirect_to_nothing(STDERR_FILENO, O_WRONLY);
  if (!told) throw Stopped();
}

}  // namespace skytools::run
