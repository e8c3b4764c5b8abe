// Nodes get other names while everything runs: nothing is lost, and a killed command is completed by its second run.
#include <doctest/doctest.h>

#include "tests/support/cascade.h"
#include "tests/support/load.h"

using namespace skytools;
using std::chrono::seconds;
using test::Cascade;
using test::eventually;
using test::Output;

namespace {

const char* const kNodes[] = {"root", "branch", "leaf"};

/// Whatever names nodes in a database of the set.
std::string names(const Cascade& c, const std::string& node) {
  return c.query(
      node,
      "select (select string_agg(node_name, ',' order by node_name) from pgq_node.node_location), (select "
      "node_name from pgq_node.node_info), (select string_agg(distinct provider_node, ',') from "
      "pgq_node.local_state), (select coalesce(string_agg(subscriber_node || ':' || worker_name || ':' || "
      "watermark_name, ','), '') from pgq_node.subscriber_info), (select coalesce(string_agg(co_name, ',' "
      "order by co_name collate \"C\"), '') from pgq.subscription join pgq.consumer on co_id = sub_consumer)");
}

bool running(Cascade& c) {
  for (auto* node : kNodes)
    if (!c.worker(node).running() || !c.error(node).empty()) return false;
  return true;
}

void fails(const Output& o, int exit, const std::string& text) {
  INFO(o.err);
  CHECK(o.exit == exit);
  CHECK(o.err.find(text) != std::string::npos);
}

}  // namespace

TEST_CASE("root, branch and leaf are renamed under load") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere(test::kLoadTables);
  c.start_all();
  c.query("root", test::kLoadRows);
  c.add_tables({"stock", "sales"});
  c.sync_all();
  {
    test::Load load(c.conninfo("root"));
    REQUIRE(eventually(seconds(20), [&] { return load.transactions() > 0; }));
    for (auto [at, from, to] :
         {std::tuple{"leaf", "branch", "middle"}, {"branch", "root", "top"}, {"leaf", "leaf", "end"}}) {
      Output o = c.try_cascade(at, {"rename-node", from, to});
      REQUIRE_MESSAGE(o.exit == 0, o.err);
    }
    int before = load.transactions();
    REQUIRE(eventually(seconds(20), [&] { return load.transactions() > before + 2; }));
  }
  CHECK(running(c));
  c.sync_all();
  CHECK(c.difference({"stock", "sales"}) == "");
  CHECK(names(c, "root") ==
        "end,middle,top|top|top|middle:set_branch:.middle.watermark|.global_watermark,.middle.watermark,set_branch");
  CHECK(names(c, "branch") ==
        "end,middle,top|middle|top|end:set_leaf:.end.watermark|.end.watermark,.global_watermark,set_leaf");
  CHECK(names(c, "leaf") == "end,middle,top|end|middle||");
  // The worker publishes its watermark under the new name; a new one does so at once.
  c.stop("leaf");
  c.start("leaf");
  c.sync("leaf");
  CHECK(eventually(seconds(20), [&] {
    return c.query("branch",
                   "select w.sub_last_tick > g.sub_last_tick from pgq.subscription w, pgq.subscription g where "
                   "w.sub_consumer = (select co_id from pgq.consumer where co_name = '.end.watermark') and "
                   "g.sub_consumer = (select co_id from pgq.consumer where co_name = '.global_watermark')") == "t";
  }));
  CHECK(c.worker("leaf").log().find("watermark not published") == std::string::npos);
  Output again = c.try_cascade("leaf", {"rename-node", "leaf", "end", "--json"});
  CHECK(again.exit == 0);
  CHECK(again.out.find("already renamed") != std::string::npos);
}

TEST_CASE("provider and node are renamed in the middle of a table's copy") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere(test::kLoadTables);
  c.start("root");
  c.start("branch");
  c.start("leaf", {.env = {{"SKYTOOLS_FAILPOINTS", "copy.after_data=sleep:2000"}}});
  c.query("root", test::kLoadRows);
  c.run("root", {"add-table", "stock"});
  c.run("branch", {"add-table", "stock", "--wait-sync", "--timeout", "30s"});
  c.run("leaf", {"add-table", "stock"});
  REQUIRE(eventually(seconds(20),
                     [&] { return c.query("leaf", "select merge_state from londiste.table_info") == "in-copy"; }));
  for (auto [from, to] : {std::pair{"branch", "middle"}, {"leaf", "end"}}) {
    Output o = c.try_cascade("root", {"rename-node", from, to});
    REQUIRE_MESSAGE(o.exit == 0, o.err);
  }
  c.query("root", "update stock set n = n + 1");
  c.run("leaf", {"wait-sync", "--timeout", "30s"});
  c.sync("leaf");
  CHECK(c.difference({"stock"}) == "");
  CHECK(c.leftovers() == "");
}

TEST_CASE("killed after each of its steps, the same command completes the rest") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere("create table t (id int primary key)");
  c.start_all();
  c.add_tables({"t"});
  // The node itself, its provider, its subscriber: whoever runs it.
  for (auto [node, other] : {std::pair{"branch", "middle"}, {"root", "top"}}) {
    std::string from = node, to = other, before = names(c, "root") + names(c, "branch") + names(c, "leaf");
    int killed = 0;
    for (int pass = 1; pass <= 30; ++pass) {
      std::string at = kNodes[pass % 3];
      test::ProgramOptions crash{.env = {{"SKYTOOLS_FAILPOINTS", "cascade.step=crash@" + std::to_string(pass)}}};
      Output o = c.try_cascade(at, {"rename-node", from, to}, crash);
      if (o.exit == 0) break;
      REQUIRE_MESSAGE(o.exit == 128 + 9, o.err);
      ++killed;
      c.query("root", "insert into t select coalesce(max(id), 0) + 1 from t");
      c.sync_all();  // a half-done rename is a set that works
      o = c.try_cascade(at, {"rename-node", from, to});
      REQUIRE_MESSAGE(o.exit == 0, pass, ": ", o.err);
      o = c.try_cascade("leaf", {"rename-node", to, from});
      REQUIRE_MESSAGE(o.exit == 0, pass, ": ", o.err);
      CHECK(names(c, "root") + names(c, "branch") + names(c, "leaf") == before);
    }
    CHECK(killed >= 8);
    REQUIRE(c.try_cascade("leaf", {"rename-node", to, from}).exit == 0);
  }
  c.sync_all();
  CHECK(running(c));
  CHECK(c.difference({"t"}) == "");
  CHECK(c.error("leaf") == "");
}

TEST_CASE("rename-node refuses what it cannot finish, and --dry-run changes nothing") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}, {"branch2", "root"}}, false);
  auto all = [&] { return names(c, "root") + names(c, "branch") + names(c, "leaf") + names(c, "branch2"); };
  std::string before = all();
  fails(c.try_cascade("root", {"rename-node", "nobody", "x"}), 1, "no node named 'nobody'");
  fails(c.try_cascade("root", {"rename-node", "branch", "branch2"}), 1, "a node named branch2 already");
  fails(c.try_cascade("root", {"rename-node", "branch", ""}), 2, "needs a name");
  fails(c.try_cascade("root", {"rename-node", "branch"}), 2, "missing argument");
  Output o = c.try_cascade("root", {"rename-node", "branch", "x", "--dry-run"});
  CHECK(o.exit == 0);
  CHECK(o.out.find("rename node branch to x") != std::string::npos);
  CHECK(all() == before);
  c.query("root", "update pgq_node.node_location set node_location = 'host=/nonexistent' where node_name = 'leaf'");
  fails(c.try_cascade("root", {"rename-node", "branch", "x"}), 5, "leaf reads from branch and does not answer");
  fails(c.try_cascade("root", {"rename-node", "branch2", "x"}), 5, "--force");
  fails(c.try_cascade("root", {"rename-node", "leaf", "x"}), 1, "leaf does not answer");
  c.query("root", "update pgq_node.node_location set node_location = 'host=/nonexistent' where node_name = 'branch'");
  c.query("root",
          "update pgq_node.node_location set node_location = '" + c.conninfo("leaf") + "' where node_name = 'leaf'");
  fails(c.try_cascade("root", {"rename-node", "leaf", "x", "--force"}), 5,
        "leaf reads from branch, which does not answer");
  c.query("root", "update pgq_node.node_location set node_location = '" + c.conninfo("branch") +
                      "' where node_name = 'branch'");
  c.query("root", "update pgq_node.node_location set node_location = 'host=/nonexistent' where node_name = 'leaf'");
  // A dead name and one that lives elsewhere are two nodes.
  fails(c.try_cascade("root", {"rename-node", "leaf", "branch2"}), 1, "taken");
  CHECK(all() == before);
  REQUIRE(c.try_cascade("root", {"set-attr", "branch", "sync_watermark=branch2"}).exit == 0);
  REQUIRE(c.try_cascade("root", {"rename-node", "branch2", "x", "--force"}).exit == 0);
  CHECK(c.query("branch", "select node_attrs from pgq_node.node_info") == "sync_watermark=x");
}
