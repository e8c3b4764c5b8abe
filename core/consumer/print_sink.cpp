#include "core/consumer/print_sink.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "core/log/log.h"

namespace skytools::consumer {

namespace {
constexpr std::size_t kBlock = 64 * 1024;
}

void PrintSink::process(Work& work) {
  json_.set_batch(work.batch);
  while (const pgq::Event* e = work.events.next()) {
    json_.append(*e, text_);
    if (text_.size() >= kBlock) write(work.around);
  }
  write(work.around);
}

void PrintSink::write(const Surroundings& around) {
  std::string text;
  text.swap(text_);  // gone in any case: after an error the batch comes again
  for (std::size_t at = 0; at < text.size();) {
    pollfd p[2] = {{fd_, POLLOUT, 0}, {around.stop.cancel_fd(), POLLIN, 0}};
    if (poll(p, 2, 1000) == 0) around.alive();
    if (around.stop.cancelled()) throw Stopped();
    if (!p[0].revents) continue;
    // A pipe that is ready takes this much without blocking.
    ssize_t n = ::write(fd_, text.data() + at, std::min<std::size_t>(text.size() - at, PIPE_BUF));
    if (n >= 0) {
      at += static_cast<std::size_t>(n);
    } else if (errno == EPIPE) {
      log::debug("the reader of the output is gone; its batch stays open");
      throw Stopped();
    } else if (errno != EINTR && errno != EAGAIN) {
      throw Error(std::string("cannot write the events: ") + std::strerror(errno));
    }
  }
  text.clear();
  text_.swap(text);  // keeps the memory
}

}  // namespace skytools::consumer
