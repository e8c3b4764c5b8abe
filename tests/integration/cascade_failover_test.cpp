// Nodes die: who takes over, what is lost and told, how the old root comes back.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

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

/// The root on a server of its own, which can crash; two branches and two leaves on the shared one.
struct Mortal {
  std::string below;  // used by what follows
  run::ThrowawayServer server{{.wal_level = "replica"}};
  RoamingSet s{{{"root", "", &server}, {"branch", "root"}, {"branch2", "root"}, {"leaf", "branch"}, {"leaf2", below}}};
  run::TempFolder folder{{}, "skytools_test"};

  /// @param leaf2_below  a leaf of the root itself may have more than any branch when the root dies
  explicit Mortal(const char* leaf2_below = "branch2") : below(leaf2_below) {}
  ~Mortal() {
    if (!server.running()) server.start();  // its databases are dropped
  }
  test::Output failover(std::vector<std::string> args) {
    args.insert(args.begin(), "failover");
    return s.role("branch2", args);
  }
  std::string lost_file() const { return folder.path() / "lost.json"; }
  test::Output resurrect(test::ProgramOptions options = {}) {
    return s.role("root", {"resurrect", "--lost-events", lost_file()}, options);
  }
  /// Everything the branches have read is behind, some more is not.
  void crash_under_load(RoamingLoad& load) {
    auto start = load.committed();
    REQUIRE(eventually(seconds(20), [&] { return load.committed() > start + 100; }));
    s.c.stop("root");
    server.crash();
  }
};

/// Ids of the lost file's inserts into the ledger.
Ids ids_in(const std::string& file) {
  Ids ids;
  for (auto& event : nlohmann::json::parse(std::ifstream(file))) {
    std::string data = event["ev_data"].is_null() ? "" : event["ev_data"].get<std::string>();
    if (event["ev_type"] == "I:id" && event["ev_extra1"] == "public.ledger")
      ids.insert(std::stoll(data.substr(data.find("id=") + 3)));
  }
  return ids;
}

/// The tables of a node as the set has them: what a person does after having looked at the lost events.
void copy_again(RoamingSet& s, const std::string& node) {
  s.c.query(node, "select londiste.local_set_table_state('set', table_name, null, null) from londiste.table_info");
  s.c.query(node, "select pgq_node.set_consumer_paused('set', 'set_" + node + "', false)");
  REQUIRE(s.c.try_run(node, {"wait-sync", "--timeout", "60s"}).exit == 0);
}

}  // namespace

TEST_CASE("the root dies: the most advanced branch takes over, the others follow, the root comes back") {
  Mortal m;
  RoamingSet& s = m.s;
  RoamingLoad load(s.conninfos({"root", "branch2"}));
  m.crash_under_load(load);
  // Without its root the set takes no writes, and a plan can be looked at.
  auto plan = m.failover({"--to", "branch2", "--dry-run"});
  CHECK_MESSAGE(plan.exit == 0, plan.err);
  CHECK(plan.out.find("promote_branch") != std::string::npos);
  CHECK(s.c.query("branch2", "select node_type from pgq_node.node_info") == "branch");
  auto o = m.failover({"--to", "branch2", "--json"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  CHECK(o.err.find("lost is what was committed on root after 2") != std::string::npos);
  CHECK(nlohmann::json::parse(o.out)["promoted"] == true);
  s.c.root_is("branch2");
  auto before = load.committed();
  CHECK(eventually(seconds(20), [&] { return load.committed() > before + 20; }));
  load.stop();
  Ids lost = load.missing(s.c.conninfo("branch2"));
  s.expect_equal(load, {"branch2", "branch", "leaf", "leaf2"}, lost);
  CHECK(s.c.query("leaf2", "select dead from pgq_node.node_location where node_name = 'root'") == "t");
  // Again: nothing is left to do.
  auto again = m.failover({"--to", "branch2", "--dead", "root"});
  CHECK_MESSAGE(again.exit == 0, again.err);

  m.server.start();
  s.c.start("root");
  // Alive and a root: it must be brought back, and until then nothing names it dead without force.
  auto alive = m.failover({"--to", "branch2", "--dead", "root"});
  CHECK(alive.exit == 5);
  CHECK(alive.err.find("node root answers") != std::string::npos);
  auto back = m.resurrect();
  REQUIRE_MESSAGE(back.exit == 0, back.err);
  Ids written = ids_in(m.lost_file());
  for (auto id : lost) CHECK(written.contains(id));
  CHECK(load.verify(s.c.conninfo("root"), {}).find("missing") != std::string::npos);  // tables were left alone
  // It stands still when there is something to look at.
  CHECK(s.c.query("root", "select node_type, provider_node, worker_paused from pgq_node.get_node_info('set')") ==
        std::string("branch|branch2|") + (written.empty() ? "f" : "t"));
  CHECK(s.c.query("leaf2", "select dead from pgq_node.node_location where node_name = 'root'") == "f");
  auto twice = m.resurrect();
  CHECK_MESSAGE(twice.exit == 0, twice.err);
  copy_again(s, "root");
  s.expect_equal(load, {}, lost);
}

TEST_CASE("a sibling is ahead: it feeds the new root first, nothing is lost") {
  Mortal m;
  RoamingSet& s = m.s;
  s.c.stop("branch2");
  s.c.query("root", "insert into ledger select g, 1, 0 from generate_series(1, 100) g");
  s.c.sync("branch");
  s.c.stop("root");
  m.server.crash();
  s.c.start("branch2");
  auto o = m.failover({"--to", "branch2"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  s.c.root_is("branch2");
  s.c.tick();
  CHECK(s.c.query("branch2", "select count(*) from ledger") == "100");
  CHECK(s.types() == "root is dead; branch < branch2; branch2 < branch2; leaf < branch; leaf2 < branch2; ");
}

TEST_CASE("a leaf is ahead: it is told and left alone, and cannot be attached later by mistake") {
  Mortal m("root");
  RoamingSet& s = m.s;
  s.c.stop("branch");
  s.c.stop("branch2");
  s.c.query("root", "insert into ledger select g, 1, 0 from generate_series(1, 100) g");
  s.c.sync("leaf2");
  s.c.stop("root");
  m.server.crash();
  s.c.start("branch");
  s.c.start("branch2");
  auto o = m.failover({"--to", "branch2"});
  CHECK(o.exit == 3);
  CHECK_MESSAGE(o.err.find("leaf2 (tick ") != std::string::npos, o.err);
  CHECK(s.c.query("leaf2", "select count(*) from ledger") == "100");
  s.c.root_is("branch2");
  for (int i = 0; i < 4; ++i) s.c.tick();
  o = s.role("leaf2", {"change-provider", "--provider", "branch2"});
  CHECK(o.exit == 1);
  CHECK_MESSAGE(o.err.find("gone apart") != std::string::npos, o.err);
  // Nor when its provider is back and has no gravestone any more.
  m.server.start();
  s.c.start("root");
  o = m.resurrect();
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  o = s.role("leaf2", {"change-provider", "--provider", "branch2"});
  CHECK(o.exit == 1);
  CHECK_MESSAGE(o.err.find("gone apart") != std::string::npos, o.err);
  o = s.role("branch2", {"drop-node", "leaf2"});
  CHECK_MESSAGE(o.exit == 0, o.err);
  CHECK(s.c.query("branch2",
                  "select count(*) from pgq.consumer join pgq.subscription on sub_consumer = co_id where "
                  "co_name like '%leaf2%'") == "0");
}

TEST_CASE("a branch dies: its leaf reads from elsewhere, its place no longer holds the queue") {
  run::ThrowawayServer server{{.wal_level = "replica"}};
  RoamingSet s({{"root"}, {"branch", "root", &server}, {"branch2", "root"}, {"leaf", "branch"}});
  RoamingLoad load(s.conninfos({"root"}));
  s.c.stop("branch");
  server.crash();
  SUBCASE("another branch feeds its leaf") {
    auto o = s.role("root", {"failover", "--to", "branch2", "--dead", "branch"});
    REQUIRE_MESSAGE(o.exit == 0, o.err);
    CHECK(s.c.query("leaf", "select provider_node from pgq_node.local_state") == "branch2");
  }
  SUBCASE("its leaf takes over, and reads from the root") {
    auto o = s.role("leaf", {"failover", "--to", "leaf"});
    REQUIRE_MESSAGE(o.exit == 0, o.err);
    CHECK(s.c.query("leaf", "select provider_node from pgq_node.local_state") == "root");
  }
  CHECK(s.c.query("root", "select count(*) from pgq_node.subscriber_info where subscriber_node = 'branch'") == "0");
  load.stop();
  s.expect_equal(load, {"root", "branch2", "leaf"});
  server.start();
}

TEST_CASE("root, branch and leaf die together") {
  run::ThrowawayServer first{{.wal_level = "replica"}}, second{{.wal_level = "replica"}};
  RoamingSet s({{"root", "", &first},
                {"branch", "root", &second},
                {"branch2", "root"},
                {"leaf", "branch"},
                {"leaf2", "branch2", &second}});
  RoamingLoad load(s.conninfos({"root", "branch2"}));
  REQUIRE(eventually(seconds(20), [&] { return load.committed() > 50; }));
  for (auto* node : {"root", "branch", "leaf2"}) s.c.stop(node);
  first.crash();
  second.crash();
  auto o = s.role("leaf", {"failover", "--to", "branch2", "--dead", "root"});
  CHECK(o.exit == 5);
  CHECK_MESSAGE(o.err.find("node branch does not answer and is not named dead") != std::string::npos, o.err);
  o = s.role("leaf", {"failover", "--to", "branch2", "--dead", "root", "--dead", "branch", "--dead", "leaf2"});
  REQUIRE_MESSAGE((o.exit == 0 || o.exit == 3), o.err);
  s.c.root_is("branch2");
  auto before = load.committed();
  CHECK(eventually(seconds(20), [&] { return load.committed() > before + 20; }));
  load.stop();
  Ids lost = load.missing(s.c.conninfo("branch2"));
  if (o.exit == 0) s.expect_equal(load, {"branch2", "leaf"}, lost);
  first.start();
  second.start();
}

TEST_CASE("the legacy form: takeover of a dead root, of a living root, of a branch") {
  Mortal m("root");
  RoamingSet& s = m.s;
  auto o = s.role("branch2", {"takeover", "branch2"});
  CHECK(o.exit == 0);
  o = s.role("branch2", {"takeover", "branch"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  CHECK(s.types() == "root < root; branch < branch2; branch2 < root; leaf < branch; leaf2 < root; ");
  o = s.role("branch", {"takeover", "root", "--all"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  s.c.root_is("branch");
  s.c.query("branch", "insert into ledger values (1, 1, 0)");
  s.c.sync_all();
  CHECK(s.types() == "root < branch; branch < branch; branch2 < branch; leaf < branch; leaf2 < branch; ");
  o = s.role("root", {"takeover", "branch"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  s.c.root_is("root");
  s.c.sync_all();
  s.c.stop("root");
  m.server.crash();
  o = s.role("branch", {"takeover", "root"});
  CHECK(o.exit == 1);
  CHECK(o.err.find("--dead-root") != std::string::npos);
  o = s.role("branch", {"takeover", "root", "--dead-root"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  CHECK(s.c.query("branch", "select node_type from pgq_node.node_info") == "root");
}

TEST_CASE("the new root's worker died between the last batch and its tick") {
  Mortal m;
  RoamingLoad load(m.s.conninfos({"root"}));
  REQUIRE(eventually(seconds(20), [&] { return load.committed() > 100; }));
  load.stop();
  m.s.c.sync_all();
  m.s.c.stop_ticker();
  m.s.c.stop("branch2");
  auto& doomed = m.s.c.start("branch2", {.env = {{"SKYTOOLS_FAILPOINTS", "worker.after_commit=crash"}}});
  std::int64_t last = m.s.c.tick();
  REQUIRE(eventually(seconds(20), [&] { return !doomed.running() && m.s.c.position("branch") >= last; }));
  REQUIRE(m.s.c.position("branch2") == last);
  // No batch of that tick comes again: whoever made it is dead.
  REQUIRE(m.s.c.query("branch2", "select max(tick_id) from pgq.tick") == std::to_string(last - 1));
  m.s.c.stop("root");
  m.server.crash();
  m.s.c.start("branch2");
  auto o = m.failover({"--to", "branch2", "--dead", "root", "--timeout", "20s"});
  REQUIRE_MESSAGE(o.exit == 0, o.err << m.s.c.worker("branch2").log());
  m.s.c.root_is("branch2");
  m.s.c.start_ticker({"branch2"});
  m.s.expect_equal(load, {"branch2", "branch", "leaf", "leaf2"});
}
