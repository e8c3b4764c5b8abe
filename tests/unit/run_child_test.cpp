#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "core/base/error.h"
#include "core/run/child.h"
#include "core/run/temp_folder.h"
#include "tests/support/cluster.h"

using namespace skytools;
using run::Child;

namespace {
Deadline soon() { return Deadline(std::chrono::seconds(20)); }
}  // namespace

TEST_CASE("a child's exit code, output, input, folder and environment are as told") {
  run::TempFolder files("", "skytools-test");
  std::ofstream(files.path() / "in") << "input";
  setenv("PGDATABASE", "leaks", 1);
  auto env = run::without_settings();
  env.emplace_back("TOLD", "x y");
  Child child({.argv = {"sh", "-c", "cat; pwd; echo \"$TOLD ${PGDATABASE-none}\"; echo oops >&2; exit 7"},
               .env = env,
               .folder = files.path(),
               .in = files.path() / "in",
               .out = files.path() / "out",
               .err = files.path() / "err"});
  unsetenv("PGDATABASE");
  CHECK(child.wait(soon()) == 7);
  CHECK(run::read_file(files.path() / "out") == "input" + files.path().string() + "\nx y none\n");
  CHECK(run::read_file(files.path() / "err") == "oops\n");
}

TEST_CASE("signals, unknown programs and failures have their codes") {
  run::TempFolder files("", "skytools-test");
  Child killed({.argv = {"sleep", "60"}});
  CHECK(killed.running());
  killed.signal(SIGINT);
  CHECK(killed.wait(soon()) == 128 + SIGINT);
  CHECK_FALSE(killed.running());
  killed.signal(SIGKILL);  // of an ended one: nothing
  CHECK(Child({.argv = {"no-such-program"}, .out = files.path() / "log"}).wait(soon()) == 127);
  CHECK(run::last_lines(files.path() / "log", 1).find("no-such-program: No such file") != std::string::npos);
  CHECK_THROWS_WITH_AS(
      run::run_to_end({.argv = {"sh", "-c", "echo first; echo second; exit 3"}, .out = files.path() / "log2"}, soon(),
                      nullptr),
      "sh failed with exit code 3: first | second", Error);
}

TEST_CASE("a wait ends at its deadline or at a stop request, and the child goes on") {
  Child child({.argv = {"sleep", "60"}});
  CHECK_FALSE(child.wait(Deadline(milliseconds(50))).has_value());
  StopToken stop;
  std::thread request([&] { stop.request(); });
  CHECK_THROWS_AS(child.wait(soon(), &stop), Stopped);
  request.join();
  CHECK(child.running());
  CHECK(child.end(milliseconds(5000)) == 128 + SIGTERM);
}

TEST_CASE("who ignores SIGTERM is killed with all it started, and nothing outlives the object") {
  run::TempFolder files("", "skytools-test");
  auto pid_in = [&](const char* file) { return std::atoi(run::read_file(files.path() / file).c_str()); };
  {
    Child stubborn(
        {.argv = {"sh", "-c", "trap '' TERM; sleep 60 & echo $! > pid; wait; wait; sleep 60"}, .folder = files.path()});
    REQUIRE(test::eventually(std::chrono::seconds(10),
                             [&] { return std::filesystem::exists(files.path() / "pid") && pid_in("pid") > 0; }));
    CHECK(stubborn.end(milliseconds(100)) == 128 + SIGKILL);
    CHECK(test::eventually(std::chrono::seconds(10), [&] { return kill(pid_in("pid"), 0) != 0; }));
  }
  pid_t gone;
  {
    Child child({.argv = {"sleep", "60"}});
    gone = child.pid();
  }
  CHECK(kill(gone, 0) != 0);
}

TEST_CASE("the death signal reaches the child when we are killed") {
  run::TempFolder files("", "skytools-test");
  pid_t middle = fork();
  if (middle == 0) {
    Child child({.argv = {"sleep", "60"}, .death_signal = SIGKILL});
    std::ofstream(files.path() / "pid") << child.pid() << std::endl;
    pause();
    _exit(1);
  }
  pid_t grandchild = 0;
  REQUIRE(test::eventually(std::chrono::seconds(10),
                           [&] { return bool(std::ifstream(files.path() / "pid") >> grandchild); }));
  CHECK(kill(grandchild, 0) == 0);
  kill(middle, SIGKILL);
  CHECK(test::eventually(std::chrono::seconds(10), [&] {
    // Until init has reaped it, a killed process is a zombie.
    std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
    std::string pid, name, state;
    return !(stat >> pid >> name >> state) || state == "Z";
  }));
}
