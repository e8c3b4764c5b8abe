// The network parts: the old root lives on and takes writes, but nobody in the set reaches it. After the failover and
// once the network is whole again, resurrect ends the split, and every row that only one side has is accounted for.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/run/temp_folder.h"
#include "tests/support/relay.h"
#include "tests/support/roaming_set.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::RoamingLoad;
using test::RoamingSet;
using Ids = std::set<std::int64_t>;

namespace {

Ids ledger(const std::string& conninfo) {
  Ids ids;
  std::string rows = test::query(conninfo, "select id from ledger");
  std::istringstream in(rows);
  for (std::int64_t id; in >> id;) ids.insert(id);
  return ids;
}

Ids minus(const Ids& a, const Ids& b) {
  Ids out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(out, out.end()));
  return out;
}

}  // namespace

TEST_CASE("the old root is cut off but alive; after healing the split is ended and every diverged row told") {
  RoamingSet s({{"root"}, {"branch", "root"}, {"branch2", "root"}, {"leaf", "branch"}});
  test::Relay door(s.c.conninfo("root"));
  // The set knows the root by the door; its own clients and its worker are on the same side as it is.
  s.c.query("root", "select pgq_node.register_location('set', 'root', '" + door.conninfo() + "', false)");
  s.c.sync_all();
  std::string location = "select node_location from pgq_node.node_location where node_name = 'root'";
  for (auto* node : {"branch", "branch2", "leaf"})
    REQUIRE(eventually(seconds(20), [&] { return s.c.query(node, location) == door.conninfo(); }));
  RoamingLoad here(s.conninfos({"root"}));
  REQUIRE(eventually(seconds(20), [&] { return here.committed() > 100; }));

  door.stall();
  auto cut_at = here.committed();
  REQUIRE(eventually(seconds(20), [&] { return here.committed() > cut_at + 100; }));
  auto o = s.role("leaf", {"failover", "--to", "branch2", "--dead", "root"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  s.c.root_is("branch2");
  here.hold();
  auto after = s.c.query("branch2", "select coalesce(max(id), 0) from ledger");
  // Other clients on the other side; their ids are their own.
  s.c.query("branch2", "insert into ledger select g, 1, 0 from generate_series(1, 500) g");
  here.go();
  auto split_at = here.committed();
  REQUIRE(eventually(seconds(20), [&] { return here.committed() > split_at + 50; }));  // two roots now, both write

  door.pass();
  Ids before = ledger(s.c.conninfo("root"));
  run::TempFolder folder{{}, "skytools_test"};
  std::string file = folder.path() / "lost.json";
  test::Output back;
  // Sessions through the door hang until the network's timeouts; a node that does not answer yet is asked again.
  bool done = eventually(seconds(60), [&] {
    return (back = s.role("root", {"resurrect", "--lost-events", file})).exit == 0;
  });
  REQUIRE_MESSAGE(done, back.err);
  here.stop();  // refused since then
  Ids on_root = ledger(s.c.conninfo("root")), on_set = ledger(s.c.conninfo("branch2"));
  Ids told;
  for (auto& event : nlohmann::json::parse(std::ifstream(file))) {
    if (event["ev_type"] != "I:id" || event["ev_extra1"] != "public.ledger") continue;
    std::string data = event["ev_data"];
    told.insert(std::stoll(data.substr(data.find("id=") + 3)));
  }
  CHECK(told == minus(on_root, on_set));
  CHECK(told.size() > 100);
  CHECK(minus(on_set, on_root).size() == 500);
  CHECK(on_root.size() >= before.size());  // nothing was taken out of the tables
  std::string roots = "select node_type from pgq_node.node_info";
  CHECK(s.c.query("root", roots) == "branch");
  CHECK(s.c.query("branch2", roots) == "root");
  CHECK_THROWS_WITH(s.c.query("root", "insert into ledger values (0, 1, 0)"), doctest::Contains("disallowed"));

  s.c.query("root", "select londiste.local_set_table_state('set', table_name, null, null) from londiste.table_info");
  CHECK(s.role("root", {"switchover", "--to", "root"}).exit == 5);  // its tables are not in step
  s.c.query("root", "select pgq_node.set_consumer_paused('set', 'set_root', false)");
  REQUIRE(s.c.try_run("root", {"wait-sync", "--timeout", "60s"}).exit == 0);
  s.c.sync_all();
  CHECK(s.c.difference({"ledger", "account"}) == "");
}

TEST_CASE("the worker of the new root hangs at the lost root, and another branch has more") {
  RoamingSet s({{"root"}, {"branch", "root"}, {"branch2", "root"}});
  test::Relay door(s.c.conninfo("root")), door2(s.c.conninfo("root"));
  s.c.query("root", "select pgq_node.register_location('set', 'root', '" + door.conninfo() + "', false)");
  s.c.sync_all();
  s.c.query("branch2", "select pgq_node.register_location('set', 'root', '" + door2.conninfo() + "', false)");
  RoamingLoad load(s.conninfos({"root"}));
  REQUIRE(eventually(seconds(20), [&] { return door2.to_client() > 0 && load.committed() > 100; }));
  door2.stall();
  auto stalled_at = s.c.position("branch2");
  REQUIRE(eventually(seconds(20), [&] { return s.c.position("branch") > stalled_at + 2; }));
  door.stall();
  auto o = s.role("branch", {"failover", "--to", "branch2", "--dead", "root"}, {.limit = seconds(40)});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  CHECK_MESSAGE(o.err.find("node branch has more than branch2: it feeds it first") != std::string::npos, o.err);
  load.stop();
  s.c.root_is("branch2");
  s.expect_equal(load, {"branch2", "branch"}, load.missing(s.c.conninfo("branch2")));
}
