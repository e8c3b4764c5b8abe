#include "core/run/child.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::run {

namespace {

/// Everything the child needs after fork(), made before it: between fork and exec only system calls are safe.
struct Prepared {
  std::vector<std::string> env_text;
  std::vector<char*> argv, envp;
  const passwd* account = nullptr;
  std::string in, out, err, folder;
};

std::vector<std::string> environment(const Launch& launch) {
  std::vector<std::string> out;
  for (char** e = environ; *e; ++e) {
    std::string entry = *e;
    std::string name = entry.substr(0, entry.find('='));
    bool changed = false;
    for (auto& [key, value] : launch.env) changed |= key == name;
    if (!changed) out.push_back(std::move(entry));
  }
  for (auto& [key, value] : launch.env)
    if (value) out.push_back(key + "=" + *value);
  return out;
}

Prepared prepare(const Launch& launch) {
  Prepared p;
  p.env_text = environment(launch);
  for (auto& a : launch.argv) p.argv.push_back(const_cast<char*>(a.c_str()));
  for (auto& e : p.env_text) p.envp.push_back(e.data());
  p.argv.push_back(nullptr);
  p.envp.push_back(nullptr);
  if (!launch.user.empty() && !(p.account = getpwnam(launch.user.c_str()))) throw Error("no such user: " + launch.user);
  p.in = launch.in.empty() ? "/dev/null" : launch.in.string();
  p.out = launch.out.string();
  p.err = launch.err.string();
  p.folder = launch.folder.string();
  return p;
}

[[noreturn]] void die(int code, const char* what) {
  const char* why = std::strerror(errno);
  for (const char* part : {what, ": ", why, "\n"})
    if (write(2, part, std::strlen(part)) < 0) break;
  _exit(code);
}

void redirect(int fd, const std::string& file, int flags) {
  int opened = open(file.c_str(), flags, 0600);
  if (opened < 0) die(126, file.c_str());
  if (dup2(opened, fd) < 0) die(126, "dup2");
}

[[noreturn]] void become(const Prepared& p, int death_signal, pid_t parent) {
  setsid();
  redirect(0, p.in, O_RDONLY);
  if (p.out.empty()) dup2(2, 1);
  if (!p.out.empty()) redirect(1, p.out, O_WRONLY | O_CREAT | O_APPEND);
  if (!p.err.empty()) redirect(2, p.err, O_WRONLY | O_CREAT | O_APPEND);
  if (p.err.empty()) dup2(1, 2);
  // Sockets of ours that lived on in a child would keep their peers from seeing us close them.
  close_range(3, UINT_MAX, 0);
  if (p.account && p.account->pw_uid != geteuid() &&
      (setgroups(0, nullptr) != 0 || setgid(p.account->pw_gid) != 0 || setuid(p.account->pw_uid) != 0))
    die(126, "cannot change the user");
  if (death_signal) {
    prctl(PR_SET_PDEATHSIG, death_signal);  // after setuid, which clears it
    if (getppid() != parent) _exit(126);    // we were too late: the parent is gone
  }
  if (!p.folder.empty() && chdir(p.folder.c_str()) != 0) die(126, p.folder.c_str());
  for (int s = 1; s < NSIG; ++s) ::signal(s, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execvpe(p.argv[0], p.argv.data(), p.envp.data());
  die(127, p.argv[0]);
}

}  // namespace

int open_pidfd(pid_t pid) noexcept { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

Child::Child(const Launch& launch) : program_(launch.argv.at(0)) {
  Prepared prepared = prepare(launch);
  pid_t parent = getpid();
  // Until the child has forgotten our signal handlers, none may run in it: they would act on what it shares with us.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_ = fork();
  if (pid_ == 0) become(prepared, launch.death_signal, parent);
  int failure = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid_ < 0) throw Error("cannot start " + program_ + ": " + std::strerror(failure));
  pid_fd_ = open_pidfd(pid_);
  if (pid_fd_ >= 0) return;
  int why = errno;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  throw Error("cannot watch " + program_ + ": " + std::strerror(why));
}

Child::~Child() {
  if (!released_ && running()) {
    kill_group();
    wait(Deadline());
  }
  close(pid_fd_);
}

Environment without_settings() {
  Environment out;
  for (char** e = environ; *e; ++e) {
    std::string entry = *e, name = entry.substr(0, entry.find('='));
    bool setting = name.starts_with("PG") || name.starts_with("SKYTOOLS_");
    if (setting && name != "SKYTOOLS_PG_BINDIR") out.emplace_back(name, std::nullopt);
  }
  return out;
}

std::optional<int> Child::wait(const Deadline& deadline, const StopToken* stop) {
  while (!exit_code_) {
    int status = 0;
    pid_t got = waitpid(pid_, &status, WNOHANG);
    if (got == pid_)
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    else if (got < 0 && errno != EINTR)
      exit_code_ = 255;  // somebody else reaped it
    if (exit_code_) break;
    if (deadline.passed()) return std::nullopt;
    pollfd p[2] = {{pid_fd_, POLLIN, 0}, {stop ? stop->fd() : -1, POLLIN, 0}};
    poll(p, 2, static_cast<int>(deadline.left().count()));
    if (stop) stop->check();
  }
  return exit_code_;
}

void Child::signal(int number) noexcept {
  if (!exit_code_) kill(pid_, number);
}

void Child::kill_group() noexcept {
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);  // when setsid() has not run yet there is no such group
}

int Child::end(milliseconds grace) {
  if (auto code = wait(Deadline(milliseconds(0)))) return *code;
  signal(SIGTERM);
  if (auto code = wait(Deadline(grace))) return *code;
  kill_group();
  return *wait(Deadline());
}

std::string last_lines(const std::filesystem::path& file, std::size_t lines) {
  std::ifstream in(file);
  std::deque<std::string> last;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) last.push_back(line);
    if (last.size() > lines) last.pop_front();
  }
  return join({last.begin(), last.end()}, " | ");
}

std::string first_errors(const std::filesystem::path& file, std::size_t lines) {
  std::ifstream in(file);
  std::vector<std::string> found;
  for (std::string line; found.size() < lines && std::getline(in, line);)
    if (line.find("error") != std::string::npos || line.find("ERROR") != std::string::npos ||
        line.find("FATAL") != std::string::npos)
      found.push_back(line);
  return found.empty() ? last_lines(file, lines) : join(found, " | ");
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

void run_to_end(Launch launch, const Deadline& deadline, const StopToken* stop) {
  auto output = launch.err.empty() ? launch.out : launch.err;
  Child child(launch);
  auto code = child.wait(deadline, stop);
  if (!code) throw TimedOut(child.program() + " did not end in time");
  if (*code == 0) return;
  std::string said = last_lines(output, 3);
  throw Error(child.program() + " failed with exit code " + std::to_string(*code) + (said.empty() ? "" : ": " + said));
}

}  // namespace skytools::run
