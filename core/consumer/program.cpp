#include "core/consumer/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/base/error.h"
#include "core/log/log.h"

namespace skytools::consumer {

namespace {

constexpr std::size_t kReadBlock = 64 * 1024;
constexpr std::size_t kLongestLine = 1 << 20;  // of an answer or a message: anything longer is a mistake

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) < 0) throw Error(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (int fd : ends)
      if (fd >= 0) close(fd);
  }
  /// Our end, which never blocks.
  int keep(int end) {
    fcntl(ends[end], F_SETFL, O_NONBLOCK);
    return std::exchange(ends[end], -1);
  }
};

void close_fd(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

}  // namespace

Program::Program(const std::string& command) {
  Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.ends[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  const char* argv[] = {"sh", "-c", command.c_str(), nullptr};
  int failure = posix_spawn(&pid_, "/bin/sh", &actions, &attributes, const_cast<char**>(argv), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failure) throw Error(std::string("cannot start /bin/sh: ") + std::strerror(failure));
  in_ = in.keep(1);
  out_.fd = out.keep(0);
  err_.fd = err.keep(0);
  end_fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
}

Program::~Program() {
  if (!reap(false)) {
    signal_group(SIGKILL);
    reap(true);
  }
  for (int* fd : {&in_, &out_.fd, &err_.fd, &end_fd_}) close_fd(*fd);
}

void Program::signal_group(int number) const noexcept { kill(-pid_, number); }

bool Program::reap(bool wait) {
  int status = 0;
  while (!status_) {
    pid_t got = waitpid(pid_, &status, wait ? 0 : WNOHANG);
    if (got == pid_)
      status_ = status;
    else if (got == 0)
      return false;
    else if (errno != EINTR)
      status_ = 255 << 8;  // somebody else reaped it
  }
  return true;
}

void Program::send(std::string& input) {
  ssize_t n = write(in_, input.data() + sent_, input.size() - sent_);
  if (n < 0 && errno != EAGAIN && errno != EINTR) close_fd(in_);  // it reads no more; its answers may still come
  if (n > 0) sent_ += static_cast<std::size_t>(n);
  if (sent_ == input.size())
    input.clear(), sent_ = 0;
  else if (sent_ > input.size() / 2)  // not each time: a large event would be moved again and again
    input.erase(0, std::exchange(sent_, 0));
}

bool Program::receive(Lines& from, const std::function<void(std::string_view)>& line) {
  char block[kReadBlock];
  ssize_t n = read(from.fd, block, sizeof block);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) {
    if (!from.partial.empty()) line(from.partial);
    from.partial.clear();
    return false;
  }
  std::string_view text(block, static_cast<std::size_t>(n));
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    if (from.partial.empty()) {
      line(text.substr(0, end));
    } else {
      from.partial.append(text.substr(0, end));
      line(from.partial);
      from.partial.clear();
    }
    text.remove_prefix(end + 1);
  }
  from.partial.append(text);
  if (from.partial.size() > kLongestLine) {
    if (&from == &out_) throw Error("the command wrote a line of more than 1 MB");
    line(std::exchange(from.partial, {}));
  }
  return true;
}

void Program::log_line(std::string_view text) const { log::info(text, {{"pid", pid_}}); }

bool Program::exchange(std::string& input, const std::function<void(std::string_view)>& line, milliseconds d,
                       const StopToken& stop) {
  bool sending = in_ >= 0 && !input.empty();
  // Only once all it wrote is read its end counts; a process it left behind may keep the pipes open.
  pollfd p[5] = {{out_.fd, POLLIN, 0},
                 {err_.fd, POLLIN, 0},
                 {sending ? in_ : -1, POLLOUT, 0},
                 {status_ ? -1 : end_fd_, POLLIN, 0},
                 {stop.cancel_fd(), POLLIN, 0}};
  bool ended = reap(false);
  int ready = poll(p, 5, ended ? 0 : static_cast<int>(d.count()));
  if (stop.cancelled()) throw Stopped();
  if (p[0].revents && !receive(out_, line)) close_fd(out_.fd);
  if (p[1].revents && !receive(err_, [this](std::string_view text) { log_line(text); })) close_fd(err_.fd);
  if (p[2].revents) send(input);
  return !(ended && (ready == 0 || (out_.fd < 0 && err_.fd < 0)));
}

std::string Program::ending() const {
  if (!status_) return "still running";
  if (WIFSIGNALED(*status_)) return "signal " + std::to_string(WTERMSIG(*status_));
  return "exit code " + std::to_string(WEXITSTATUS(*status_));
}

bool Program::could_not_run() const noexcept {
  return status_ && WIFEXITED(*status_) && (WEXITSTATUS(*status_) == 126 || WEXITSTATUS(*status_) == 127);
}

bool Program::wait_end(milliseconds d, const std::function<void()>& alive) {
  Deadline deadline(d);
  std::string nothing;
  StopToken never;
  while (exchange(
      nothing, [](std::string_view) {}, deadline.left(milliseconds(500)), never)) {
    alive();
    if (deadline.passed()) return false;
  }
  return true;
}

void Program::finish(milliseconds grace, const std::function<void()>& alive) {
  close_fd(in_);
  if (wait_end(grace, alive)) return;
  log::warning("the command goes on after its input has ended, it gets SIGTERM", {{"pid", pid_}});
  signal_group(SIGTERM);
  if (!wait_end(grace, alive)) signal_group(SIGKILL);
}

}  // namespace skytools::consumer
