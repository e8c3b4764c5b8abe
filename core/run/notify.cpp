#include "core/run/notify.h"

#include <systemd/sd-daemon.h>

#include <ctime>
#include <string>

#include "core/run/daemon.h"

// The only file that sees libsystemd.

namespace skytools::run {

void notify_ready() {
  leave_terminal();
  sd_notify(0, "READY=1");
}

void notify_reloading() {
  // The time lets the init system tell this reload from an earlier one.
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  long long usec = static_cast<long long>(now.tv_sec) * 1000000 + now.tv_nsec / 1000;
  sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec)).c_str());
}

void notify_stopping() { sd_notify(0, "STOPPING=1"); }

void notify_alive() {
  if (sd_watchdog_enabled(0, nullptr) > 0) sd_notify(0, "WATCHDOG=1");
}

}  // namespace skytools::run
