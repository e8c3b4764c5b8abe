// Mixed sets with the original's programs as Debian packages them: its Python leaf below our branch, our nodes below
// its Python root, ticked by its daemon. Skipped with a line when they aren't installed.
#include <doctest/doctest.h>

#include "tests/support/cascade.h"
#include "tests/support/python_node.h"

using namespace skytools;
using test::Cascade;
using test::Database;
using test::eventually;
using test::PythonNode;

namespace {

const char* const kTable =
    "create table t (id int, \"Odd & Key\" text, v text, a text[], raw bytea, ts timestamptz, f float8, j jsonb, "
    "primary key (id, \"Odd & Key\"))";
const char* const kWrites[] = {
    "insert into t values (1, 'a=b&c', E'tab\\t nl\\n bs\\\\ ''q''', '{a,NULL,\"b,c\"}', '\\x00ff5c', '2024-02-29 "
    "12:00+01', 'NaN', '{\"a\": [1, null]}'), (2, '', null, null, null, null, null, null)",
    "begin; update t set v = 'żółć', raw = '\\x0a' where id = 1; delete from t where id = 2; insert into t (id, \"Odd "
    "& Key\", v) select g, 'x', g from generate_series(10, 400) g; commit",
    "begin; update t set v = v || '!' where id > 300; delete from t where id between 20 and 30; insert into t (id, "
    "\"Odd & Key\") values (20, 'again'); commit",
    "begin; truncate t; insert into t (id, \"Odd & Key\", v) values (7, '', 'after the truncate'); commit",
};

}  // namespace

TEST_CASE("a Python leaf below our branch, and one below our root") {
  if (test::python_peers_missing()) return;
  Cascade c({{"root"}, {"branch", "root"}});
  c.everywhere(kTable);
  c.query("root", "create sequence s; insert into t (id, \"Odd & Key\", v) values (100, 'old', 'copied')");
  c.start_all();
  c.add_tables({"t"});
  c.run("root", {"add-seq", "s"});
  PythonNode below_branch("pyleaf"), below_root("pyleaf2");
  for (auto [leaf, name, provider] :
       {std::tuple(&below_branch, "pyleaf", "branch"), std::tuple(&below_root, "pyleaf2", "root")}) {
    leaf->query(kTable);
    leaf->query("create sequence s");
    leaf->run({"create-leaf", name, leaf->conninfo(), "--provider=" + c.conninfo(provider)});
    leaf->start_worker();
    leaf->run({"add-table", "t"});
    leaf->run({"add-seq", "s"});
  }
  auto equal = [&](PythonNode& leaf) {
    bool same = eventually(test::kPythonPatience, [&] {
      return test::checksum(leaf.conninfo(), "t") == test::checksum(c.conninfo("root"), "t");
    });
    CHECK_MESSAGE(same, leaf.log());
  };
  for (auto* leaf : {&below_branch, &below_root}) {
    bool copied = eventually(test::kPythonPatience,
                             [&] { return leaf->query("select merge_state from londiste.table_info") == "ok"; });
    CHECK_MESSAGE(copied, leaf->log());
  }
  for (auto* sql : kWrites) {
    c.query("root", sql);
    c.sync("branch");
    equal(below_branch);
    equal(below_root);
  }
  c.query("root", "select setval('s', 5000)");
  CHECK(eventually(test::kPythonPatience,
                   [&] { return std::stoll(below_branch.query("select last_value from s")) > 5000; }));
  std::string status = c.run("root", {"status"});
  CHECK(status.find("pyleaf (leaf)") != std::string::npos);
  CHECK(status.find("ERR") == std::string::npos);
}

TEST_CASE("our leaf and our branch below a Python root") {
  if (test::python_peers_missing()) return;
  PythonNode root("pyroot");
  root.query(kTable);
  root.query("insert into t (id, \"Odd & Key\", v) values (100, 'old', 'copied')");
  root.query("create sequence s");
  root.start_ticker();
  root.run({"create-root", "pyroot", root.conninfo()});
  root.start_worker();
  root.run({"add-table", "t"});
  root.run({"add-seq", "s"});
  Database branch, leaf;
  std::vector<std::unique_ptr<test::Background>> workers;
  auto londiste = [&](Database& db, std::vector<std::string> args) {
    args.insert(args.begin(), "londiste");
    args.insert(args.end(), {"--db", db.conninfo(), "-Q", "set"});
    test::Output o = test::run_skytools(args, {.limit = test::kPythonPatience});
    CHECK_MESSAGE(o.exit == 0, o.err);
  };
  for (auto [db, kind, provider] :
       {std::tuple(&branch, "branch", root.conninfo()), std::tuple(&leaf, "leaf", branch.conninfo())}) {
    REQUIRE(test::run_skytools({"install", "--db", db->conninfo()}).exit == 0);
    londiste(*db, {std::string("create-") + kind, kind, "--provider", provider});
    workers.push_back(std::make_unique<test::Background>(
        std::vector<std::string>{"londiste", "worker", "--db", db->conninfo(), "-Q", "set"}));
    londiste(*db, {"add-table", "t", "--create", "--wait-sync", "--timeout", "100s"});
    londiste(*db, {"add-seq", "s", "--create"});
  }
  auto equal = [&] {
    for (auto* db : {&branch, &leaf}) {
      bool same = eventually(test::kPythonPatience, [&] {
        return test::checksum(db->conninfo(), "t") == test::checksum(root.conninfo(), "t");
      });
      CHECK_MESSAGE(same, workers.back()->log());
    }
  };
  equal();
  for (auto* sql : kWrites) {
    root.query(sql);
    equal();
  }
  root.query("select setval('s', 5000)");
  CHECK(eventually(test::kPythonPatience, [&] { return std::stoll(leaf.query("select last_value from s")) > 5000; }));
  // The original's tools see our nodes as their own.
  root.run({"status"});
  for (auto& worker : workers) CHECK(worker->stop() == 0);
}

TEST_CASE("our node commands on the original's nodes and programs") {
  if (test::python_peers_missing()) return;
  PythonNode root("pyroot"), leaf("pyleaf");
  Database branch;
  for (auto* node : {&root, &leaf}) node->query(kTable);
  root.start_ticker();
  root.run({"create-root", "pyroot", root.conninfo()});
  root.start_worker();
  root.run({"add-table", "t"});
  REQUIRE(test::run_skytools({"install", "--db", branch.conninfo()}).exit == 0);
  auto command = [&](std::vector<std::string> args, const std::string& db) {
    args.insert(args.end(), {"--db", db, "-Q", "set", "--timeout", "100s"});
    test::Output o = test::run_skytools(args, {.limit = test::kPythonPatience});
    CHECK_MESSAGE(o.exit == 0, o.err);
    return o.out;
  };
  command({"londiste", "create-branch", "branch", "--provider", root.conninfo()}, branch.conninfo());
  test::Background worker({"londiste", "worker", "--db", branch.conninfo(), "-Q", "set"});
  command({"londiste", "add-table", "t", "--create", "--wait-sync"}, branch.conninfo());
  leaf.run({"create-leaf", "pyleaf", leaf.conninfo(), "--provider=" + branch.conninfo()});
  leaf.start_worker();
  leaf.run({"add-table", "t"});
  auto equal = [&] {
    for (auto& conninfo : {branch.conninfo(), leaf.conninfo()}) {
      bool same = eventually(test::kPythonPatience,
                             [&] { return test::checksum(conninfo, "t") == test::checksum(root.conninfo(), "t"); });
      CHECK_MESSAGE(same, worker.log(), leaf.log());
    }
  };
  for (auto [node, name] : {std::pair{&leaf, "pyleaf"}, {&root, "pyroot"}}) {
    command({"cascade", "pause", name}, branch.conninfo());
    std::string state = "select paused, uptodate from pgq_node.local_state where consumer_name = 'set_";
    CHECK(node->query(state + name + "'") == "t|t");
    command({"cascade", "resume", name}, branch.conninfo());
  }
  std::size_t write = 0;
  for (auto [from, to] : {std::pair{"branch", "middle"}, {"pyroot", "top"}, {"pyleaf", "end"}}) {
    root.query(kWrites[write++]);
    command({"cascade", "rename-node", from, to}, branch.conninfo());
    equal();
  }
  root.query(kWrites[write]);
  equal();
  std::string names = "select string_agg(node_name, ',' order by node_name) from pgq_node.node_location";
  for (auto& conninfo : {root.conninfo(), branch.conninfo(), leaf.conninfo()})
    CHECK(test::query(conninfo, names) == "end,middle,top");
  leaf.run({"status"});
  std::string status = command({"cascade", "set-status"}, branch.conninfo());
  CHECK_MESSAGE(status.find("not running") == std::string::npos, status);
  command({"cascade", "wait-root"}, leaf.conninfo());
  command({"cascade", "set-location", "end", leaf.conninfo() + " connect_timeout=9"}, branch.conninfo());
  leaf.kill_worker();
  command({"cascade", "drop-node", "end", "--yes"}, root.conninfo());
  CHECK(
      leaf.query("select (select count(*) from pgq_node.node_location) + (select count(*) from londiste.table_info)") ==
      "0");
  CHECK(branch.query("select count(*) from pgq_node.subscriber_info") == "0");
  CHECK(root.query(names) == "middle,top");
  CHECK(worker.stop() == 0);
}
