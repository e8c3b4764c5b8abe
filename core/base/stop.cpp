#include "core/base/stop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/error.h"

namespace skytools {

namespace {
int make_eventfd() {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw Error("cannot create an eventfd");
  return fd;
}
}  // namespace

StopToken::StopToken() : request_fd_(make_eventfd()), cancel_fd_(make_eventfd()) {}

StopToken::~StopToken() {
  close(request_fd_);
  close(cancel_fd_);
}

void StopToken::request() noexcept {
  requested_ = true;
  eventfd_write(request_fd_, 1);
}

void StopToken::cancel() noexcept {
  request();
  cancelled_ = true;
  eventfd_write(cancel_fd_, 1);
}

bool StopToken::wait(std::chrono::milliseconds d, int fd) const {
  pollfd p[2] = {{request_fd_, POLLIN, 0}, {fd, POLLIN, 0}};
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(1);
  poll(p, fd < 0 ? 1 : 2, static_cast<int>(std::clamp(d, std::chrono::milliseconds(0), kLongest).count()));
  return !requested_;
}

void StopToken::check() const {
  if (requested_) throw Stopped();
}

}  // namespace skytools
