// Role changes in sets of the original's nodes and ours: switchover, takeover by the original's tool, change-provider,
// failover and resurrect, each under a load that follows the root. Skipped with a line where the original isn't
// installed.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "tests/support/mixed_set.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::kPythonPatience;
using test::MixedSet;
using test::PythonLondiste;
using test::RoamingLoad;
using Ids = std::set<std::int64_t>;

namespace {

bool more(const RoamingLoad& load, std::int64_t by) {
  auto start = load.committed();
  return eventually(seconds(60), [&] { return load.committed() > start + by; });
}

void print(const std::string& what, RoamingLoad& load) {
  std::cerr << what << ", longest time without a commit " << load.longest_gap().count() << " ms\n";
}

/// No transaction is under way while it lives.
struct Held {
  explicit Held(RoamingLoad& load) : load_(load) { load_.hold(); }
  ~Held() { load_.go(); }
  RoamingLoad& load_;
};

double write_pause(const test::Output& o) { return nlohmann::json::parse(o.out)["write_pause"].get<double>() * 1000; }

}  // namespace

TEST_CASE("switchover between the original's root and our branch, three rounds") {
  if (test::python_peers_missing()) return;
  MixedSet s;
  s.branch.start_ticker();
  RoamingLoad load(s.writers());
  for (int round = 0; round < 3; ++round)
    for (const std::string to : {"branch", "pyroot"}) {
      INFO("round " << round << " to " << to);
      REQUIRE(more(load, 100));
      load.longest_gap();
      std::vector<std::string> args{"switchover", "--to", to, "--json"};
      if (round == 1) args.emplace_back("--all");
      auto o = s.leaf.try_run(args);
      REQUIRE_MESSAGE(o.exit == 0, o.err);
      REQUIRE(more(load, 20));
      print("switchover to " + to + ": write pause " + std::to_string(write_pause(o)) + " ms", load);
      {
        Held held(load);
        s.expect_equal(load, to);
      }
      // The old root reads from the new one; --all brings the others along.
      std::string old = to == "branch" ? "pyroot" : "branch";
      CHECK(s.types().find(old + " < " + to + ";") != std::string::npos);
      if (round == 1) CHECK(s.types().find("leaf < " + to + "; leaf < " + to + ";") != std::string::npos);
    }
  load.stop();
}

TEST_CASE("takeover by the original's tool, and its ticker on our promoted node") {
  if (test::python_peers_missing()) return;
  MixedSet s;
  s.branch.start_pgqd();
  PythonLondiste on_branch("set_branch", s.branch.conninfo());
  RoamingLoad load(s.writers());
  for (int round = 0; round < 2; ++round)
    for (const std::string to : {"branch", "pyroot"}) {
      INFO("round " << round << " to " << to);
      std::string old = to == "branch" ? "pyroot" : "branch";
      REQUIRE(more(load, 100));
      load.longest_gap();
      std::vector<std::string> args{"takeover", old};
      if (round == 1) {
        // The original's --all fails when a subscriber has a tick that the new provider doesn't have yet.
        Held held(load);
        s.expect_equal(load, old);
        args.emplace_back("--all");
        to == "branch" ? on_branch.run(args) : s.pyroot.run(args);
      } else {
        to == "branch" ? on_branch.run(args) : s.pyroot.run(args);
      }
      REQUIRE(more(load, 20));
      if (round == 0) print("takeover by " + to, load);
      {
        Held held(load);
        s.expect_equal(load, to);
      }
    }
  load.stop();
}

TEST_CASE("change-provider of the original's leaf between its root and our branch, killed and run again") {
  if (test::python_peers_missing()) return;
  MixedSet s;
  RoamingLoad load(s.writers());
  auto move = [&](const std::string& to, const std::string& failpoints = "") {
    return s.leaf.try_run({"change-provider", "--provider", to, "--node", "pyleaf"},
                          {.env = {{"SKYTOOLS_FAILPOINTS", failpoints}}, .limit = kPythonPatience});
  };
  auto provider = [&] { return s.query("pyleaf", "select provider_node from pgq_node.local_state"); };
  auto check = [&](const std::string& to) {
    CHECK(provider() == to);
    Held held(load);
    s.expect_equal(load, "pyroot");
    std::string old = to == "branch" ? "pyroot" : "branch";
    CHECK(s.query(to, "select count(*) from pgq_node.subscriber_info where subscriber_node = 'pyleaf'") == "1");
    CHECK(s.query(old, "select count(*) from pgq_node.subscriber_info where subscriber_node = 'pyleaf'") == "0");
    CHECK(s.query("pyleaf", "select node_attrs from pgq_node.node_info") == "NULL");
  };
  std::string to = "pyroot";
  for (const char* failpoints :
       {"", "", "cascade.subscribed=crash@1", "cascade.step=crash@1", "cascade.step=crash@2", "cascade.step=crash@3"}) {
    INFO("to " << to << " with " << std::string(failpoints));
    REQUIRE(more(load, 50));
    auto o = move(to, failpoints);
    if (o.exit == 128 + SIGKILL) o = move(to);
    REQUIRE_MESSAGE(o.exit == 0, o.err);
    check(to);
    to = to == "branch" ? "pyroot" : "branch";
  }
  // Cut off while it is paused, and then wanted where it is.
  std::string stays = provider();
  CHECK(move(to, "cascade.subscribed=crash@1").exit == 128 + SIGKILL);
  CHECK(s.query("pyleaf", "select paused from pgq_node.local_state") == "t");
  auto o = move(stays);
  CHECK_MESSAGE(o.exit == 0, o.err);
  check(stays);
  // A table in copy, and a worker that doesn't run.
  s.pyleaf.kill_worker();
  s.query("pyleaf", "select londiste.local_set_table_state('set', 'public.ledger', null, 'in-copy')");
  o = move(to);
  CHECK(o.exit == 5);
  CHECK_MESSAGE(o.err.find("public.ledger is in the middle of its copy (--force overrides") != std::string::npos,
                o.err);
  s.query("pyleaf", "select londiste.local_set_table_state('set', 'public.ledger', null, 'ok')");
  o = s.leaf.try_run({"change-provider", "--provider", to, "--node", "pyleaf", "--timeout", "3s"});
  CHECK_MESSAGE(o.exit == 0, o.err);
  CHECK_MESSAGE(o.err.find("does not answer: taken for not running") != std::string::npos, o.err);
  s.pyleaf.start_worker();
  check(to);
}

TEST_CASE("gates of a switchover to the original's branch, and one that is taken back") {
  if (test::python_peers_missing()) return;
  MixedSet s;
  s.branch.start_ticker();
  RoamingLoad load(s.writers());
  auto switchover = [&](const std::string& to, const std::string& failpoints = "") {
    return s.leaf.try_run({"switchover", "--to", to, "--json"},
                          {.env = {{"SKYTOOLS_FAILPOINTS", failpoints}}, .limit = kPythonPatience});
  };
  auto rehearsal = s.leaf.try_run({"switchover", "--to", "branch", "--dry-run"});
  CHECK_MESSAGE(rehearsal.exit == 0, rehearsal.err);
  CHECK(rehearsal.out.find("pause worker set_pyroot of pyroot") != std::string::npos);
  CHECK(s.query("pyroot", "select paused from pgq_node.local_state") == "f");
  // Killed after each step, the same command completes; the original's worker is paused for none of them.
  std::string to = "branch";
  bool killed = true;
  for (int step = 1; killed; ++step) {
    INFO("to " << to << ", killed after step " << step);
    REQUIRE(more(load, 20));
    auto o = switchover(to, "cascade.step=crash@" + std::to_string(step));
    killed = o.exit == 128 + SIGKILL;
    if (killed) o = switchover(to);
    REQUIRE_MESSAGE(o.exit == 0, o.err);
    REQUIRE(more(load, 20));
    {
      Held held(load);
      s.expect_equal(load, to);
    }
    CHECK(s.query("pyroot", "select node_attrs from pgq_node.node_info") == "NULL");
    to = to == "branch" ? "pyroot" : "branch";
  }
  if (s.root() == "pyroot") {
    // A step that fails opens the root again, its worker goes on.
    auto o = switchover("branch", "cascade.step=error@4");
    CHECK(o.exit == 1);
    CHECK_MESSAGE(o.err.find("was taken back") != std::string::npos, o.err);
    REQUIRE(more(load, 20));
    CHECK(s.query("pyroot", "select paused from pgq_node.local_state") == "f");
    REQUIRE(switchover("branch").exit == 0);
  }
  s.pyroot.kill_worker();
  auto o = switchover("pyroot");
  CHECK(o.exit == 5);
  CHECK_MESSAGE(o.err.find("worker set_pyroot of pyroot does not answer: is it running?") != std::string::npos, o.err);
  s.query("pyroot", "select londiste.local_set_table_state('set', 'public.ledger', null, 'in-copy')");
  o = switchover("pyroot");
  CHECK(o.exit == 5);
  CHECK_MESSAGE(o.err.find("tables: public.ledger is in state in-copy there") != std::string::npos, o.err);
  s.query("pyroot", "select londiste.local_set_table_state('set', 'public.ledger', null, 'ok')");
  s.pyroot.start_worker();
  REQUIRE(eventually(seconds(60), [&] { return (o = switchover("pyroot")).exit == 0; }));
  // The old root's worker may follow later.
  s.pyroot.kill_worker();
  o = switchover("branch");
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  CHECK_MESSAGE(o.err.find("set_pyroot does not answer: taken for not running") != std::string::npos, o.err);
  REQUIRE(more(load, 20));
  s.pyroot.start_worker();
  load.stop();
  s.expect_equal(load, "branch");
}

TEST_CASE("the root crashes, the original's or ours, and comes back below the other") {
  if (test::python_peers_missing()) return;
  run::ThrowawayServer server{{.wal_level = "replica"}}, our_server{{.wal_level = "replica"}};
  run::TempFolder folder{{}, "skytools_test"};
  MixedSet s(server, our_server);
  s.branch.start_ticker();
  s.leaf.run({"change-provider", "--provider", "pyroot", "--node", "pyleaf"});
  s.leaf.run({"change-provider", "--provider", "branch", "--node", "leaf"});
  auto load = std::make_unique<RoamingLoad>(s.writers());
  REQUIRE(more(*load, 300));
  // Who has more than the new root could not follow it.
  s.pyleaf.kill_worker();
  auto position = [&](const std::string& node) {
    return std::stoll(s.query(node, "select worker_last_tick from pgq_node.get_node_info('set')"));
  };
  REQUIRE(eventually(seconds(30), [&] { return position("branch") > position("pyleaf"); }));
  server.crash();
  s.pyleaf.start_worker();
  auto o = s.leaf.try_run({"failover", "--to", "branch", "--dead", "pyroot"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  CHECK(more(*load, 50));
  load->stop();
  Ids lost = load->missing(s.conninfo("branch"));
  std::cerr << "failover: " << lost.size() << " transactions lost\n";
  s.expect_equal(*load, "branch", {"branch", "pyleaf", "leaf"}, lost);

  server.start();
  s.pyroot.start_ticker();
  std::string file = folder.path() / "lost.json";
  auto back = test::run_skytools(
      {"londiste", "resurrect", "--db", s.pyroot.conninfo(), "-Q", "set", "--yes", "--lost-events", file},
      {.limit = kPythonPatience});
  REQUIRE_MESSAGE(back.exit == 0, back.err);
  std::string events{std::istreambuf_iterator<char>(std::ifstream(file).rdbuf()), {}};
  for (auto id : lost) CHECK_MESSAGE(events.find("id=" + std::to_string(id) + "&") != std::string::npos, id);
  s.tick_every("branch", "1 second");
  s.pyroot.run({"resync", "ledger", "account"});
  s.query("pyroot", "select pgq_node.set_consumer_paused('set', 'set_pyroot', false)");
  s.wait_for_copies("pyroot");
  s.expect_equal(*load, "branch", MixedSet::names(), lost);

  // Then it is the root again, because ours crashes.
  our_server.crash();
  o = s.leaf.try_run({"failover", "--to", "pyroot", "--dead", "branch"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  s.expect_equal(*load, "pyroot", {"pyroot", "pyleaf", "leaf"}, lost);
  our_server.start();
  o = s.branch.try_run({"resurrect", "--lost-events", folder.path() / "nothing.json"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  s.expect_equal(*load, "pyroot", MixedSet::names(), lost);
}
