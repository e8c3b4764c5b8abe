#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include <thread>

#include "core/base/deadline.h"
#include "core/base/error.h"
#include "core/base/stop.h"

using namespace skytools;
using namespace std::chrono_literals;

namespace {
bool readable(int fd) {
  pollfd p = {fd, POLLIN, 0};
  return poll(&p, 1, 0) == 1;
}
}  // namespace

TEST_CASE("a token starts quiet") {
  StopToken stop;
  CHECK_FALSE(stop.requested());
  CHECK_FALSE(readable(stop.fd()));
  CHECK(stop.wait(1ms));
  CHECK_NOTHROW(stop.check());
}

TEST_CASE("a request is the first step, cancelling the second") {
  StopToken stop;
  stop.request();
  CHECK(stop.requested());
  CHECK_FALSE(stop.cancelled());
  CHECK(readable(stop.fd()));
  CHECK_FALSE(readable(stop.cancel_fd()));
  CHECK_THROWS_AS(stop.check(), Stopped);
  stop.cancel();
  CHECK(stop.cancelled());
  CHECK(readable(stop.cancel_fd()));
}

TEST_CASE("cancelling implies the request") {
  StopToken stop;
  stop.cancel();
  CHECK(stop.requested());
}

TEST_CASE("a request ends a wait long before its time") {
  StopToken stop;
  auto start = Clock::now();
  std::thread other([&] { stop.request(); });
  CHECK_FALSE(stop.wait(60s));
  other.join();
  CHECK(Clock::now() - start < 10s);
}

TEST_CASE("input on the descriptor ends a wait, too") {
  StopToken stop;
  int pipe_fds[2];
  REQUIRE(pipe(pipe_fds) == 0);
  REQUIRE(write(pipe_fds[1], "x", 1) == 1);
  auto start = Clock::now();
  CHECK(stop.wait(60s, pipe_fds[0]));
  CHECK(Clock::now() - start < 10s);
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

TEST_CASE("nested errors are told outermost first") {
  try {
    try {
      throw Error("no space");
    } catch (const Error&) {
      std::throw_with_nested(Error("copying public.t"));
    }
  } catch (const Error& e) {
    CHECK(describe(e) == "copying public.t: no space");
  }
}
