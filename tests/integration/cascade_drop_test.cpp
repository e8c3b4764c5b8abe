// drop-node: nothing of the node is left anywhere, dead or alive, however often the command was killed.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/support/cascade.h"

using namespace skytools;
using std::chrono::seconds;
using test::Cascade;
using test::Output;

namespace {

/// What a node's database still knows about `name`: location, subscription, consumers.
std::string traces(const Cascade& c, const std::string& at, const std::string& name) {
  return c.query(at,
                 "select coalesce(string_agg(x, ' '), '') from (select 'location' from pgq_node.node_location where "
                 "node_name = '" +
                     name + "' union all select 'subscriber' from pgq_node.subscriber_info where subscriber_node = '" +
                     name +
                     "' union all select co_name from pgq.consumer join pgq.subscription on sub_consumer = co_id where "
                     "co_name ~ '" +
                     name + "') t (x)");
}

/// All that a dropped node's own database must not have any more.
std::string own_traces(const Cascade& c, const std::string& at) {
  return c.query(at,
                 "select (select count(*) from pgq_node.node_location) + (select count(*) from pgq_node.node_info) + "
                 "(select count(*) from pgq_node.local_state) + (select count(*) from pgq.queue) + (select count(*) "
                 "from londiste.table_info) + (select count(*) from pg_trigger where not tgisinternal and tgname like "
                 "'%londiste%' and tgrelid = 't'::regclass)");
}

void fails(const Output& o, int exit, const std::string& text) {
  INFO(o.err);
  CHECK(o.exit == exit);
  CHECK(o.err.find(text) != std::string::npos);
}

}  // namespace

TEST_CASE("a branch without subscribers is dropped; its tables take writes again") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "root"}});
  c.start_ticker({"root", "branch"});
  c.everywhere("create table t (id int primary key)");
  c.start_all();
  c.add_tables({"t"});
  c.query("root", "insert into t values (1)");
  c.sync_all();
  c.stop("branch");
  Output o = c.try_cascade("leaf", {"drop-node", "branch", "--yes", "--json"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  auto json = nlohmann::json::parse(o.out);
  CHECK(json["node"] == "branch");
  CHECK(json["database_cleaned"] == true);
  CHECK(own_traces(c, "branch") == "0");
  c.query("branch", "insert into t values (2)");
  for (auto* node : {"root", "leaf"}) CHECK(traces(c, node, "branch") == "");
  c.query("root", "insert into t values (3)");
  c.sync("leaf");
  CHECK(c.error("leaf") == "");
}

TEST_CASE("a dead node is forgotten by all others, copies and gravestones too") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}}, false);
  c.everywhere("create table t (id int primary key)");
  for (auto* node : {"root", "branch"})
    c.query(node, "update pgq_node.node_location set node_location = 'host=/nonexistent' where node_name = 'leaf'");
  c.query("branch",
          "select pgq.register_consumer('set', 'set_leaf.copy.public.t'), pgq.register_consumer('set', "
          "'leaf.gravestone'), pgq.register_consumer('set', 'leafless')");
  Output o = c.try_cascade("root", {"drop-node", "leaf", "--yes", "--json"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  CHECK(nlohmann::json::parse(o.out)["database_cleaned"] == false);
  CHECK(o.err.find("its database stays as it is") != std::string::npos);
  CHECK(traces(c, "root", "leaf") == "");
  CHECK(traces(c, "branch", "leaf") == "leafless");
  // It comes back, and cleans itself by the same command.
  o = c.try_cascade("leaf", {"drop-node", "leaf", "--yes"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  CHECK(own_traces(c, "leaf") == "0");
  CHECK(traces(c, "branch", "leaf") == "leafless");
}

TEST_CASE("a node dropped in the middle of a copy gets its indexes back and holds nobody up") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.everywhere("create table t (id int primary key, v text unique)");
  c.start("root");
  c.run("root", {"add-table", "t"});
  c.query("root", "insert into t select g, g from generate_series(1, 100) g");
  c.start("leaf", {.env = {{"SKYTOOLS_FAILPOINTS", "copy.after_commit=crash"}}});
  c.run("leaf", {"add-table", "t"});
  CHECK(c.worker("leaf").wait() == 128 + 9);
  // As copies of merged tables and those of the original leave them.
  c.query(
      "leaf",
      "alter table t drop constraint t_v_key; select londiste.local_set_table_struct('set', 'public.t', 'alter table "
      "t add constraint t_v_key unique (v)')");
  CHECK(traces(c, "root", "leaf").find("set_leaf.copy.public.t") != std::string::npos);
  Output o = c.try_run("root", {"drop-node", "leaf", "--yes"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  CHECK(own_traces(c, "leaf") == "0");
  CHECK(c.query("leaf",
                "select (select count(*) from t), (select count(*) from pg_index where indrelid = "
                "'t'::regclass)") == "0|2");
  CHECK(traces(c, "root", "leaf") == "");
}

TEST_CASE("drop-node refuses to tear a set apart") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}}, false);
  c.everywhere("create table t (id int primary key)");
  fails(c.try_cascade("root", {"drop-node", "branch", "--yes"}), 5, "still has subscribers: leaf");
  fails(c.try_cascade("root", {"drop-node", "root", "--yes"}), 5, "still has subscribers: branch");
  fails(c.try_cascade("root", {"drop-node", "laef", "--yes"}), 1, "did you mean 'leaf'");
  fails(c.try_cascade("root", {"drop-node", "leaf"}), 5, "--yes");
  fails(c.try_cascade("root", {"drop-node"}), 2, "NAME");
  Output o = c.try_cascade("root", {"drop-node", "leaf", "--dry-run"});
  CHECK(o.exit == 0);
  CHECK(o.out.find("pgq_node.drop_node('set', 'leaf')") != std::string::npos);
  CHECK(traces(c, "branch", "leaf") != "");
  // A consumer that reads from it counts as a subscriber, too.
  c.query("leaf", "select pgq_node.register_consumer('set', 'reports', 'root', 1)");
  fails(c.try_cascade("branch", {"drop-node", "root", "--yes", "--force"}), 5, "reports on leaf");
  c.query("leaf", "select pgq_node.unregister_consumer('set', 'reports')");
  // No root answers: the others would not learn of it.
  c.query("branch", "update pgq_node.node_location set node_location = 'host=/nonexistent' where node_name = 'root'");
  fails(c.try_cascade("branch", {"drop-node", "leaf", "--yes"}), 5, "no root of queue set answers");
  for (auto* node : {"leaf", "branch", "root"}) {
    o = c.try_cascade("root", {"drop-node", node, "--yes"});
    REQUIRE_MESSAGE(o.exit == 0, o.err);
    CHECK(own_traces(c, node) == "0");
  }
}

TEST_CASE("killed after each of its steps, drop-node completes when it is run again") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere("create table t (id int primary key)");
  c.start("root");
  c.start("branch");  // must hear of each end before the name is taken again
  for (std::string at : {"root", "branch", "leaf"}) {
    int killed = 0;
    for (int pass = 1; pass <= 4; ++pass) {
      test::ProgramOptions crash{.env = {{"SKYTOOLS_FAILPOINTS", "cascade.step=crash@" + std::to_string(pass)}}};
      Output o = c.try_cascade(at, {"drop-node", "leaf", "--yes"}, crash);
      if (o.exit != 0) {
        REQUIRE_MESSAGE(o.exit == 128 + 9, o.err);
        ++killed;
        o = c.try_cascade(at, {"drop-node", "leaf", "--yes"});
        // After its last step nothing is left to be found.
        if (o.exit != 0) CHECK_MESSAGE(o.err.find("no node") != std::string::npos, o.err);
      }
      CHECK(own_traces(c, "leaf") == "0");
      for (auto* node : {"root", "branch"}) CHECK(traces(c, node, "leaf") == "");
      c.run("leaf", {"create-leaf", "leaf", "--provider", c.conninfo("branch")});
    }
    CHECK(killed == 3);
  }
}
