#include "core/run/supervisor.h"

#include <doctest/doctest.h>

#include <atomic>

#include "core/base/error.h"
#include "core/log/log.h"
#include "tests/support/moment.h"

using namespace skytools;
using namespace skytools::run;
using namespace std::chrono_literals;

namespace {
constexpr RestartPolicy kFast{.first = 1ms, .longest = 2ms, .quiet = 1min};
struct Quiet {
  Quiet() { log::init({.least = log::Level::none}); }
} quiet;
}  // namespace

TEST_CASE("a worker that had begun is started again until it returns") {
  StopToken stop;
  int runs = 0;
  supervise(
      "w", stop,
      [&](auto& begun) {
        begun();
        if (++runs < 4) throw Error("connection lost");
      },
      kFast);
  CHECK(runs == 4);
}

TEST_CASE("what fails before the first beginning passes through, later failures don't") {
  StopToken stop;
  int runs = 0;
  CHECK_THROWS_AS(supervise(
                      "w", stop,
                      [&](auto&) {
                        ++runs;
                        throw SchemaMissing("no pgq");
                      },
                      kFast),
                  SchemaMissing);
  CHECK(runs == 1);
  supervise(
      "w", stop,
      [&](auto& begun) {
        if (++runs == 2) {
          begun();
          throw Error("x");
        }
        if (runs == 3) throw Error("cannot connect");
      },
      kFast);
  CHECK(runs == 4);
}

TEST_CASE("a stop ends the worker and the pause") {
  StopToken stop;
  std::atomic<int> runs = 0;
  test::When request([&, waits = test::this_thread_waits()] { return runs == 1 && waits(); }, [&] { stop.request(); });
  supervise("w", stop,
            [&](auto& begun) {
              begun();
              ++runs;
              throw Error("x");
            },
            {.first = 1h, .longest = 1h});
  CHECK(runs == 1);
  supervise("w", stop, [&](auto&) { ++runs; });
  CHECK(runs == 1);
}

TEST_CASE("a schema that is missing does not come back by waiting") {
  StopToken stop;
  int runs = 0;
  CHECK_THROWS_AS(supervise("w", stop,
                            [&](auto& begun) {
                              begun();
                              ++runs;
                              throw SchemaMissing("gone");
                            }),
                  SchemaMissing);
  CHECK(runs == 1);
}
