// The commands around a set: idempotent, clear about wrong use, and honest under --dry-run and --json.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/support/cascade.h"

using namespace skytools;
using nlohmann::json;
using std::chrono::seconds;
using test::Cascade;
using test::Output;

namespace {

/// All that a command could have changed in a database of a set.
std::string everything(const Cascade& c, const std::string& node) {
  return c.query(
      node,
      "select (select string_agg(t::text, ';' order by table_name) from londiste.table_info t), (select "
      "string_agg(s::text, ';' order by seq_name) from londiste.seq_info s),"
      " (select string_agg(n::text, ';') from pgq_node.node_info n), (select string_agg(l::text, ';' order by "
      "node_name) from pgq_node.node_location l),"
      " (select string_agg(s::text, ';') from pgq_node.subscriber_info s), (select count(*) from pgq.event_template),"
      " (select string_agg(tgname || tgrelid::regclass, ';' order by tgname, tgrelid) from pg_trigger),"
      " (select string_agg(relname, ';' order by oid) from pg_class where relkind in ('r', 'S', 'p') and relnamespace "
      "= 'public'::regnamespace)");
}

/// One line that tells what is wrong, the last on stderr; log lines may stand before it.
void check_failure(const Output& o, int exit, const std::string& message) {
  INFO(o.err);
  CHECK(o.exit == exit);
  CHECK(o.err.find(message) != std::string::npos);
  CHECK(o.out.empty());
  std::size_t line = o.err.rfind('\n', o.err.size() - 2) + 1;  // npos + 1: it is the only one
  CHECK(o.err.find("skytools: ") == line);
}

std::string db_of(const std::string& conninfo, const std::string& name) {
  return conninfo.substr(0, conninfo.find("dbname=")) + "dbname=" + name;
}

}  // namespace

TEST_CASE("every command can be repeated") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere("create table t (id int primary key); create sequence s");
  c.start_all();
  c.add_tables({"t"});
  for (auto* node : {"root", "branch", "leaf"}) c.run(node, {"add-seq", "s"});
  c.sync_all();
  for (auto* node : {"root", "branch", "leaf"}) c.worker(node).kill();
  c.stop_ticker();
  std::map<std::string, std::string> before;
  for (auto* node : {"root", "branch", "leaf"}) before[node] = everything(c, node);
  c.run("root", {"create-root", "root"});
  c.run("branch", {"create-branch", "branch", "--provider", c.conninfo("root")});
  c.run("leaf", {"create-leaf", "leaf", "--provider", c.conninfo("branch")});
  for (auto* node : {"root", "branch", "leaf"}) {
    CHECK(c.run(node, {"add-table", "t"}).find("already added") != std::string::npos);
    CHECK(c.run(node, {"add-table", "--all"}).find("already added") != std::string::npos);
    CHECK(c.run(node, {"add-seq", "s"}).find("already added") != std::string::npos);
    CHECK(everything(c, node) == before[node]);
  }
}

TEST_CASE("wrong use of create-*: exit code and one line that says what to do") {
  Cascade c({{"root"}, {"leaf", "root"}});
  test::Database fresh;
  run::ThrowawayServer& server = test::server();
  std::string bare = server.new_database("bare_" + fresh.name());
  test::query(bare,
              "drop schema if exists londiste cascade; drop schema if exists pgq_node cascade; drop schema if exists "
              "pgq cascade; drop schema if exists skytools cascade");
  auto create = [&](const std::string& kind, const std::string& name, std::vector<std::string> more,
                    const std::string& db) {
    std::vector<std::string> args{"londiste", "create-" + kind, name, "--db", db, "-Q", "set"};
    args.insert(args.end(), more.begin(), more.end());
    return test::run_skytools(args);
  };
  check_failure(create("leaf", "x", {}, fresh.conninfo()), 2, "--provider");
  check_failure(create("leaf", "x", {"--provider", c.conninfo("leaf")}, fresh.conninfo()), 1, "is a leaf");
  check_failure(create("leaf", "x", {"--provider", fresh.conninfo()}, fresh.conninfo()), 1, "no node of queue set");
  check_failure(create("leaf", "leaf", {"--provider", c.conninfo("root")}, fresh.conninfo()), 1, "a node named leaf");
  check_failure(create("leaf", "root", {"--provider", c.conninfo("root")}, fresh.conninfo()), 1, "a node named root");
  check_failure(create("leaf", "x", {"--provider", "host=/nonexistent dbname=x"}, fresh.conninfo()), 4, "provider");
  check_failure(create("leaf", "x", {c.conninfo("root"), "--provider", c.conninfo("root")}, fresh.conninfo()), 1,
                "another database");
  check_failure(create("root", "x", {}, db_of(fresh.conninfo(), "no_such_db")), 4, "no_such_db");
  check_failure(create("root", "x", {}, "host=/nonexistent dbname=x"), 4, "nonexistent");
  check_failure(create("root", "x", {}, bare), 6, "skytools install");
  check_failure(create("root", "other", {}, c.conninfo("root")), 1, "has a node here already");
  check_failure(create("leaf", "root", {"--provider", c.conninfo("root")}, c.conninfo("root")), 1,
                "has a node here already");
  check_failure(create("root", "", {}, fresh.conninfo()), 2, "needs a name");
  check_failure(test::run_skytools({"londiste", "create-root", "--db", fresh.conninfo(), "-Q", "set"}), 2, "NAME");
  check_failure(test::run_skytools({"londiste", "create-root", "n", "--db", fresh.conninfo()}), 2, "--queue");
  check_failure(test::run_skytools({"londiste", "create-roott", "n"}), 2, "create-root");
  check_failure(test::run_skytools({"londiste", "status", "--compcat"}), 2, "compact");
  CHECK(fresh.query("select count(*) from pgq.queue") == "0");
  CHECK(c.query("root", "select count(*) from pgq_node.node_location") == "2");
}

TEST_CASE("wrong use of add-table and the others") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.query("root",
          "create table t (id int primary key); create table nokey (id int); create table only_root (id int primary "
          "key); create view v as select 1; create sequence s");
  c.query("leaf", "create table t (id int primary key); create table only_leaf (id int primary key)");
  std::string before = everything(c, "root");
  check_failure(c.try_run("root", {"add-table"}), 2, "--all");
  check_failure(c.try_run("root", {"add-table", "missing"}), 1, "public.missing not available");
  check_failure(c.try_run("root", {"add-table", "t", "missing"}), 1, "public.missing not available");
  check_failure(c.try_run("root", {"add-table", "nokey"}), 1, "Primary key missing");
  check_failure(c.try_run("root", {"add-table", "v"}), 1, "public.v not available");
  check_failure(c.try_run("root", {"add-seq", "missing"}), 1, "public.missing not available");
  check_failure(c.try_run("root", {"add-table", "t", "only_root", "--dest-table", "x"}), 2, "exactly one table");
  check_failure(c.try_run("root", {"add-table", "t", "--no-such-option"}), 2, "--no-such-option");
  check_failure(c.try_run("root", {"add-table", "t", "--max-parallel-copy", "many"}), 2, "max");
  CHECK(everything(c, "root") == before);
  before = everything(c, "leaf");
  check_failure(c.try_run("leaf", {"add-table", "t"}), 1, "not available on provider root");
  check_failure(c.try_run("leaf", {"add-table", "only_leaf"}), 1, "not available on provider root");
  c.run("root", {"add-table", "t", "only_root"});
  c.run("root", {"add-seq", "s"});
  check_failure(c.try_run("leaf", {"add-table", "t", "only_root"}), 1, "only_root does not exist here");
  check_failure(c.try_run("leaf", {"add-seq", "s"}), 1, "does not exist here");
  CHECK(c.query("leaf", "select count(*) from londiste.table_info where local") == "0");
  Output o = c.try_run("leaf", {"add-table", "--all", "--skip-non-existing"});
  CHECK(o.exit == 0);
  CHECK(o.out.find("skipped") != std::string::npos);
  CHECK(c.query("leaf", "select string_agg(table_name, ',') from londiste.table_info where local") == "public.t");
  o = c.try_run("leaf", {"wait-sync", "--timeout", "300ms"});  // no worker runs
  CHECK(o.exit == 7);
  CHECK(o.err.find("is the worker running?") != std::string::npos);
  for (const auto& args : std::vector<std::vector<std::string>>{
           {"tables"}, {"status"}, {"worker"}, {"add-table", "t"}, {"seqs"}, {"missing"}, {"wait-sync"}}) {
    std::vector<std::string> full{"londiste"};
    full.insert(full.end(), args.begin(), args.end());
    full.insert(full.end(), {"--db", c.conninfo("root"), "-Q", "no_such_set"});
    check_failure(test::run_skytools(full), 1, "no_such_set");
    full[full.size() - 3] = db_of(c.conninfo("root"), "no_such_db");
    check_failure(test::run_skytools(full), 4, "no_such_db");
  }
}

TEST_CASE("the provider is down: commands that need it say so, the worker waits for it") {
  run::ThrowawayServer own({.wal_level = "replica"});
  Cascade c({{"root", "", &own}, {"leaf", "root"}});
  c.everywhere("create table t (id int primary key)");
  c.start_all();
  c.add_tables({"t"});
  own.crash();
  check_failure(c.try_run("leaf", {"add-table", "t"}), 4, "provider");
  CHECK(c.try_run("leaf", {"tables"}).exit == 0);
  Output o = c.try_run("leaf", {"status", "--json"});
  CHECK(o.exit == 0);
  CHECK(o.out.find("leaf") != std::string::npos);
  CHECK(test::eventually(seconds(20), [&] { return c.error("leaf").find("provider") != std::string::npos; }));
  check_failure(c.try_run("root", {"tables"}), 4, "");
  own.start();
  c.start("root");
  c.start_ticker();
  c.query("root", "insert into t values (1)");
  c.sync("leaf");
  CHECK(c.difference({"t"}) == "");
}

TEST_CASE("--dry-run tells the steps and changes nothing") {
  Cascade c({{"root"}, {"branch", "root"}});
  test::Database fresh;
  c.query("root", "create table t (id serial primary key, v text); create sequence s");
  c.run("root", {"add-table", "t"});
  c.run("root", {"add-seq", "s"});
  std::string root = everything(c, "root"), branch = everything(c, "branch");
  Output o = c.try_run("branch", {"add-table", "t", "--create", "--dry-run"});
  CHECK(o.exit == 0);
  CHECK(o.out.find("would be added") != std::string::npos);
  CHECK(o.out.find("create table \"public\".\"t\"") != std::string::npos);
  CHECK(c.run("branch", {"add-seq", "s", "--create", "--dry-run"}).find("create sequence") != std::string::npos);
  o = test::run_skytools({"londiste", "create-leaf", "leaf", "--db", fresh.conninfo(), "-Q", "set", "--provider",
                          c.conninfo("branch"), "--dry-run"});
  CHECK(o.exit == 0);
  CHECK(o.out.find("register the location of leaf at the root") != std::string::npos);
  CHECK(o.out.find("subscribe leaf at provider branch") != std::string::npos);
  o = test::run_skytools({"londiste", "create-root", "r", "--db", fresh.conninfo(), "-Q", "set", "--dry-run"});
  CHECK(o.exit == 0);
  CHECK(o.out.find("create queue set") != std::string::npos);
  CHECK(everything(c, "root") == root);
  CHECK(everything(c, "branch") == branch);
  CHECK(fresh.query("select (select count(*) from pgq.queue) + (select count(*) from pgq_node.node_location)") == "0");
}

TEST_CASE("a half-made node is finished by running the command again") {
  Cascade c({{"root"}});
  test::Database leaf;
  c.query("root", "create table t (id int primary key)");
  c.run("root", {"add-table", "t"});
  std::vector<std::string> args{"londiste",   "create-leaf",     "leaf", "--db", leaf.conninfo(), "-Q", "set",
                                "--provider", c.conninfo("root")};
  // What a crash between the steps leaves behind.
  c.query("root", "select * from pgq_node.register_location('set', 'leaf', $$" + leaf.conninfo() +
                      "$$, false);"
                      "select * from pgq_node.register_subscriber('set', 'leaf', 'set_leaf', null)");
  CHECK(test::run_skytools(args).exit == 0);
  CHECK(leaf.query("select node_type, worker_name from pgq_node.get_node_info('set')") == "leaf|set_leaf");
  CHECK(leaf.query("select table_name from londiste.table_info") == "public.t");
  leaf.query("delete from londiste.table_info");
  CHECK(test::run_skytools(args).exit == 0);
  CHECK(leaf.query("select table_name from londiste.table_info") == "public.t");
}

TEST_CASE("--json: stable keys, real types, errors too") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.query("root",
          "create table t (id int primary key); create table \"Odd ,T\" (id int primary key); create sequence s; "
          "create table nobody (id int primary key)");
  c.start_all();
  json added = json::parse(c.run("root", {"add-table", "t", "public.Odd ,T", "--json"}));
  CHECK(added.size() == 2);
  CHECK(added[0].size() == 3);
  CHECK(added[1]["table"] == "public.t");
  CHECK(added[1]["result"] == "added");
  c.run("root", {"add-seq", "s"});
  c.run("leaf", {"add-table", "t", "--create", "--wait-sync", "--timeout", "30s"});
  c.sync("leaf");
  json tables = json::parse(c.run("leaf", {"tables", "--json"}));
  REQUIRE(tables.size() == 2);
  for (auto& t : tables) {
    for (auto* key : {"table", "local", "state", "destination", "attributes"}) CHECK(t.contains(key));
    bool copied = t["table"] == "public.t";
    CHECK(t["local"] == copied);
    CHECK((copied ? t["state"] == "ok" : t["state"].is_null()));
  }
  json seqs = json::parse(c.run("leaf", {"seqs", "--json"}));
  CHECK(seqs.at(0)["sequence"] == "public.s");
  CHECK(seqs.at(0)["local"] == false);
  CHECK(seqs.at(0)["last_value"].is_number());
  json missing = json::parse(c.run("root", {"missing", "--json"}));
  CHECK(missing == json::parse(R"([{"kind": "table", "name": "public.nobody"}])"));
  json status = json::parse(c.run("leaf", {"status", "--json"}));
  REQUIRE(status.size() == 2);
  CHECK(status[0]["node"] == "root");
  CHECK(status[0]["provider"].is_null());
  CHECK(status[1]["node"] == "leaf");
  CHECK(status[1]["type"] == "leaf");
  CHECK(status[1]["provider"] == "root");
  CHECK(status[1]["paused"] == false);
  CHECK(status[1]["tick"].is_number_integer());
  CHECK(status[1]["lag"].is_number());
  CHECK(status[1]["lag_events"].is_number_integer());
  CHECK(status[1]["tables_ok"] == 1);
  CHECK(status[1]["tables_ignored"] == 1);
  CHECK(status[1]["errors"] == json::array());
  json error = json::parse(c.try_run("root", {"add-table", "nothing_like_it", "--json"}).out);
  CHECK(error["error"]["exit"] == 1);
  CHECK(error["error"]["message"].get<std::string>().find("nothing_like_it") != std::string::npos);
}

TEST_CASE("status for people: a tree of all nodes, also those that do not answer") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}, {"leaf2", "root"}});
  c.start_all();
  c.sync_all();
  for (auto* node : {"root", "leaf"}) {
    std::string text = c.run(node, {"status"});
    CAPTURE(text);
    for (auto* word :
         {"Queue: set", "root (root)", "branch (branch)", "leaf (leaf)", "leaf2 (leaf)", "Tables: 0/0/0", "Lag: "})
      CHECK(text.find(word) != std::string::npos);
    CHECK(text.find("branch (branch)") < text.find("leaf (leaf)"));
    CHECK(text.find("Local node: " + std::string(node)) != std::string::npos);
  }
  c.query("root", "update pgq_node.node_location set node_location = 'host=/nonexistent' where node_name = 'leaf2'");
  std::string text = c.run("root", {"status", "--compact"});
  CHECK(text.find("leaf2 (no answer)") != std::string::npos);
  CHECK(text.find("ERR: ") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 6);
}

TEST_CASE("globs, exclusions and --all") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.query("root",
          "create schema app; create table app.a1 (id int primary key); create table app.a2 (id int primary key); "
          "create table app.log_1 (id int primary key);"
          "create table p1 (id int primary key); create table p22 (id int primary key)");
  auto local = [&](const char* node) {
    return c.query(
        node,
        "select coalesce(string_agg(table_name, ' ' order by table_name), '') from londiste.table_info where local");
  };
  c.run("root", {"add-table", "app.*", "!app.log_*"});
  CHECK(local("root") == "app.a1 app.a2");
  c.run("root", {"add-table", "p?"});
  CHECK(local("root") == "app.a1 app.a2 public.p1");
  c.run("root", {"add-table", "nothing*"});  // a glob may be empty
  c.run("root", {"add-table", "--all", "!*.log_1"});
  CHECK(local("root") == "app.a1 app.a2 public.p1 public.p22");
  c.run("leaf", {"add-table", "--all", "--create"});
  CHECK(local("leaf") == "app.a1 app.a2 public.p1 public.p22");
  // A partitioned table is chosen as a whole; one of its partitions only by its name.
  c.query("root",
          "create schema parted; create table parted.t (id int primary key) partition by range (id);"
          "create table parted.t_1 partition of parted.t for values from (0) to (10); create table parted.t_2 "
          "partition of parted.t default");
  CHECK(c.run("root", {"add-table", "parted.t_1", "--dry-run"}).find("parted.t_1") != std::string::npos);
  c.run("root", {"add-table", "parted.*"});
  CHECK(local("root") == "app.a1 app.a2 parted.t public.p1 public.p22");
}

TEST_CASE("passwords never appear") {
  Cascade c({{"root"}});
  test::Database leaf;
  std::string location = leaf.conninfo() + " password=s3cret";
  Output o = test::run_skytools({"-vv", "londiste", "create-leaf", "leaf", location, "--db", location, "-Q", "set",
                                 "--provider", c.conninfo("root") + " password=s3cret"});
  CHECK(o.exit == 0);
  CHECK((o.out + o.err).find("s3cret") == std::string::npos);
  leaf.query(
      "update pgq_node.node_location set node_location = 'host=/nonexistent password=s3cret' where node_name = 'root'");
  for (auto& args : std::vector<std::vector<std::string>>{{"status"}, {"status", "--json"}, {"add-table", "x"}}) {
    std::vector<std::string> full{"-vv", "londiste"};
    full.insert(full.end(), args.begin(), args.end());
    full.insert(full.end(), {"--db", location, "-Q", "set"});
    o = test::run_skytools(full);
    CHECK((o.out + o.err).find("s3cret") == std::string::npos);
  }
}
