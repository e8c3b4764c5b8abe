// Role changes that are cut off: the command killed after each of its steps, workers killed and servers crashed at each
// step. Afterwards the same command completes, exactly one node takes writes, all are equal.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>

#include "core/base/error.h"
#include "core/run/temp_folder.h"
#include "tests/support/roaming_set.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::RoamingLoad;
using test::RoamingSet;
using Ids = std::set<std::int64_t>;

namespace {

std::string crash_after(int step) { return "cascade.step=crash@" + std::to_string(step); }

/// Nodes whose queue takes events.
int writable(RoamingSet& s, const std::vector<std::string>& nodes) {
  int n = 0;
  for (auto& node : nodes) n += s.c.query(node, "select count(*) from pgq.queue where not queue_disable_insert") == "1";
  return n;
}

/// A failover that is killed after `step`, and the return of the old root, killed likewise. @return killed at all
bool one_life(int step) {
  INFO("killed after step " << step);
  run::ThrowawayServer server{{.wal_level = "replica"}};
  RoamingSet s({{"root", "", &server}, {"branch", "root"}, {"branch2", "root"}, {"leaf", "branch"}});
  run::TempFolder folder{{}, "skytools_test"};
  std::string file = folder.path() / "lost.json";
  RoamingLoad load(s.conninfos({"root", "branch2"}));
  REQUIRE(eventually(seconds(20), [&] { return load.committed() > 100; }));
  s.c.stop("root");
  server.crash();
  test::ProgramOptions killing{.env = {{"SKYTOOLS_FAILPOINTS", crash_after(step)}}, .limit = seconds(90)};
  bool killed = s.role("leaf", {"failover", "--to", "branch2", "--dead", "root"}, killing).exit == 128 + SIGKILL;
  auto o = s.role("leaf", {"failover", "--to", "branch2", "--dead", "root"}, {.limit = seconds(90)});
  REQUIRE_MESSAGE(o.exit == 0, o.err << s.c.worker("branch2").log());
  s.c.root_is("branch2");
  auto before = load.committed();
  CHECK(eventually(seconds(20), [&] { return load.committed() > before + 20; }));
  load.stop();
  Ids lost = load.missing(s.c.conninfo("branch2"));
  CHECK(writable(s, {"branch", "branch2"}) == 1);
  s.expect_equal(load, {"branch2", "branch", "leaf"}, lost);

  server.start();
  s.c.start("root");
  killed |= s.role("root", {"resurrect", "--lost-events", file}, killing).exit == 128 + SIGKILL;
  o = s.role("root", {"resurrect", "--lost-events", file});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  CHECK(writable(s, {"root", "branch", "branch2"}) == 1);
  std::string events{std::istreambuf_iterator<char>(std::ifstream(file).rdbuf()), {}};
  for (auto id : lost) CHECK_MESSAGE(events.find("id=" + std::to_string(id) + "&") != std::string::npos, id);
  s.c.query("root", "select londiste.local_set_table_state('set', table_name, null, null) from londiste.table_info");
  s.c.query("root", "select pgq_node.set_consumer_paused('set', 'set_root', false)");
  REQUIRE(s.c.try_run("root", {"wait-sync", "--timeout", "60s"}).exit == 0);
  s.expect_equal(load, {}, lost);
  return killed;
}

struct Victim {
  const char* name;
  void (*kill)(RoamingSet&, run::ThrowawayServer& root, run::ThrowawayServer& branch);
  void (*revive)(RoamingSet&, run::ThrowawayServer& root, run::ThrowawayServer& branch);
};
using Server = run::ThrowawayServer;
const Victim kVictims[] = {
    {"the root's worker", [](RoamingSet& s, Server&, Server&) { s.c.worker("root").kill(); },
     [](RoamingSet& s, Server&, Server&) { s.c.start("root"); }},
    {"the branch's worker", [](RoamingSet& s, Server&, Server&) { s.c.worker("branch").kill(); },
     [](RoamingSet& s, Server&, Server&) { s.c.start("branch"); }},
    {"the root's server", [](RoamingSet&, Server& root, Server&) { root.crash(); },
     [](RoamingSet&, Server& root, Server&) { root.start(); }},
    {"the branch's server", [](RoamingSet&, Server&, Server& branch) { branch.crash(); },
     [](RoamingSet&, Server&, Server& branch) { branch.start(); }},
};

std::size_t steps_in(const std::string& log) {
  std::size_t n = 0;
  for (auto at = log.find(" node="); at != std::string::npos; at = log.find(" node=", at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("failover and resurrect, killed after each step") {
  int step = 1;
  while (one_life(step)) ++step;
  CHECK(step > 6);
}

TEST_CASE("workers and servers die at each step of a switchover") {
  run::ThrowawayServer root{{.wal_level = "replica"}}, branch{{.wal_level = "replica"}};
  RoamingSet s({{"root", "", &root}, {"branch", "root", &branch}, {"leaf", "branch"}});
  RoamingLoad load(s.conninfos({"root", "branch"}));
  std::string to = "branch";
  for (auto& victim : kVictims)
    for (std::size_t step = 1; step <= 8; ++step) {
      INFO(std::string(victim.name) << " dies after step " << step << " of a switchover to " << to);
      auto start = load.committed();
      REQUIRE(eventually(seconds(30), [&] { return load.committed() > start + 5; }));
      // The step's line is written before the step; the command sleeps after it.
      std::string sleep = "cascade.step=sleep:700@" + std::to_string(step);
      test::Background command(s.role_args("leaf", {"switchover", "--to", to, "--timeout", "5s"}),
                               {.env = {{"SKYTOOLS_FAILPOINTS", sleep}}});
      CHECK(eventually(seconds(20), [&] { return steps_in(command.log()) >= step || !command.running(); }));
      victim.kill(s, root, branch);
      victim.revive(s, root, branch);
      command.wait(seconds(60));
      test::Output again;
      // A worker that lost its server needs a moment to be back: until then the gates refuse.
      bool done = eventually(seconds(60), [&] {
        return (again = s.role("leaf", {"switchover", "--to", to})).exit == 0;
      });
      REQUIRE_MESSAGE(done, again.err);
      CHECK(writable(s, {"root", "branch"}) == 1);
      s.c.root_is(to);
      load.hold();
      s.expect_equal(load);
      load.go();
      to = to == "root" ? "branch" : "root";
    }
}

TEST_CASE("the new root's worker dies at each of its fail points in the write pause") {
  RoamingSet s;
  RoamingLoad load(s.conninfos({"root", "branch"}));
  std::string to = "branch", from = "root";
  for (auto* point :
       {"worker.event", "worker.before_commit", "worker.after_commit", "worker.after_tick", "worker.after_finish"}) {
    INFO(std::string(point) << " in a switchover to " << to);
    auto start = load.committed();
    REQUIRE(eventually(seconds(30), [&] { return load.committed() > start + 20; }));
    // Asleep before the second step, the closing: the worker is gone by then, and the next one meets the last batches
    // in the pause.
    test::Background command(s.role_args("leaf", {"switchover", "--to", to, "--timeout", "10s"}),
                             {.env = {{"SKYTOOLS_FAILPOINTS", "cascade.step=sleep:800@1"}}});
    CHECK(eventually(seconds(20), [&] { return steps_in(command.log()) >= 1 || !command.running(); }));
    s.c.worker(to).kill();
    CHECK(eventually(seconds(20), [&] {
      return s.c.query(from, "select queue_disable_insert from pgq.queue") == "t" || !command.running();
    }));
    auto& doomed = s.c.start(to, {.env = {{"SKYTOOLS_FAILPOINTS", std::string(point) + "=crash"}}});
    bool died = eventually(seconds(20), [&] { return !doomed.running(); });
    CHECK_MESSAGE(died, doomed.log());
    s.c.start(to);
    command.wait(seconds(60));
    test::Output again;
    bool done = eventually(seconds(60), [&] { return (again = s.role("leaf", {"switchover", "--to", to})).exit == 0; });
    REQUIRE_MESSAGE(done, again.err);
    CHECK(writable(s, {"root", "branch"}) == 1);
    s.c.root_is(to);
    load.hold();
    s.expect_equal(load);
    load.go();
    std::swap(to, from);
  }
}
