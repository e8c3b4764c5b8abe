#include "cmd/signals.h"

#include <cerrno>
#include <csignal>

namespace skytools::cmd {

namespace {

// A handler can reach nothing but globals.
StopToken* g_stop = nullptr;
std::atomic<bool>* g_reload = nullptr;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

void on_stop(int) {
  int saved = errno;
  g_stop->requested() ? g_stop->cancel() : g_stop->request();
  errno = saved;
}

void on_reload(int) { *g_reload = true; }

void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

void install_signals(StopToken& stop, std::atomic<bool>& reload) {
  g_stop = &stop;
  g_reload = &reload;
  handle(SIGINT, on_stop);
  handle(SIGTERM, on_stop);
  handle(SIGHUP, on_reload);
  handle(SIGPIPE, SIG_IGN);
}

}  // namespace skytools::cmd
