// Looking at nodes and holding them still: status and its relatives, pause, resume, the waits; with and without
// Londiste.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/cascade.h"

using namespace skytools;
using nlohmann::json;
using std::chrono::seconds;
using test::Cascade;
using test::eventually;
using test::Output;

namespace {

void fails(const Output& o, int exit, const std::string& text) {
  INFO(o.err);
  CHECK(o.exit == exit);
  CHECK(o.err.find(text) != std::string::npos);
}

json parsed(const Output& o) {
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  return json::parse(o.out);
}

void age_reader(const Cascade& c, const std::string& provider, const std::string& worker) {
  c.query(provider,
          "update pgq.subscription set sub_active = now() - interval '5 minutes' where sub_consumer = (select "
          "co_id from pgq.consumer where co_name = '" +
              worker + "')");
}

}  // namespace

TEST_CASE("nodes of a queue without Londiste: created, shown, dropped") {
  test::install_template(test::server());
  test::Database root, leaf;
  auto cascade = [](const test::Database& at, std::vector<std::string> args) {
    args.insert(args.begin(), "cascade");
    args.insert(args.end(), {"--db", at.conninfo(), "-Q", "q"});
    return test::run_skytools(args);
  };
  for (auto* db : {&root, &leaf}) db->query("drop schema londiste cascade");
  CHECK(cascade(root, {"create-root", "r"}).exit == 0);
  CHECK(cascade(root, {"create-root", "r"}).exit == 0);
  fails(cascade(leaf, {"create-leaf", "l"}), 2, "--provider");
  CHECK(cascade(leaf, {"create-leaf", "l", "--provider", root.conninfo()}).exit == 0);
  fails(test::run_skytools({"londiste", "status", "--db", root.conninfo(), "-Q", "q"}), 6, "londiste");
  json status = parsed(cascade(leaf, {"status", "--json"}));
  REQUIRE(status.size() == 2);
  CHECK(status[1]["node"] == "l");
  CHECK(status[1]["versions"].size() == 3);
  CHECK(cascade(leaf, {"status"}).out.find("Tables:") == std::string::npos);
  for (auto* node : {"l", "r"}) CHECK(cascade(root, {"drop-node", node, "--yes"}).exit == 0);
  fails(cascade(root, {"status"}), 1, "no node of queue q");
  CHECK(root.query("select count(*) from pgq.queue") == "0");
}

TEST_CASE("pause and resume any node, from any node") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere("create table t (id int primary key)");
  c.start_all();
  c.add_tables({"t"});
  c.sync_all();
  json done = parsed(c.try_cascade("root", {"pause", "leaf", "--json"}));
  CHECK(done == json::parse(R"({"node": "leaf", "consumer": "set_leaf", "paused": true, "result": "paused"})"));
  CHECK(c.query("leaf", "select paused, uptodate from pgq_node.local_state") == "t|t");
  CHECK(parsed(c.try_cascade("root", {"pause", "leaf", "--json"}))["result"] == "already paused");
  c.query("root", "insert into t values (1)");
  c.sync("branch");
  CHECK(c.query("leaf", "select count(*) from t") == "0");
  CHECK(c.try_cascade("leaf", {"status"}).out.find("PAUSED") != std::string::npos);
  CHECK(parsed(c.try_cascade("leaf", {"resume", "--json"}))["result"] == "resumed");
  CHECK(parsed(c.try_cascade("leaf", {"resume", "--json"}))["result"] == "already running");
  c.sync("leaf");
  CHECK(c.try_cascade("root", {"pause", "leaf", "--dry-run"}).out.find("set_consumer_paused") != std::string::npos);
  CHECK(c.query("leaf", "select paused from pgq_node.local_state") == "f");
  // The root's worker obeys as well.
  CHECK(parsed(c.try_cascade("leaf", {"pause", "root", "--json"}))["result"] == "paused");
  CHECK(parsed(c.try_cascade("leaf", {"resume", "root", "--json"}))["result"] == "resumed");
}

TEST_CASE("pause without a worker: said so, the flag stays, the worker obeys when it starts") {
  Cascade c({{"root"}, {"leaf", "root"}});
  fails(c.try_cascade("leaf", {"pause", "--timeout", "300ms"}), 7, "the flag stays set");
  CHECK(c.try_cascade("leaf", {"pause", "--timeout", "300ms"}).err.find("no worker is running there") !=
        std::string::npos);
  CHECK(c.query("leaf", "select paused, uptodate from pgq_node.local_state") == "t|f");
  c.start("leaf");
  CHECK(eventually(seconds(20), [&] { return c.query("leaf", "select uptodate from pgq_node.local_state") == "t"; }));
  CHECK(parsed(c.try_cascade("leaf", {"pause", "--json"}))["result"] == "already paused");
  c.query("leaf", "select pgq_node.register_consumer('set', 'reports', 'root', 1)");
  fails(c.try_cascade("root", {"pause", "leaf", "--consumer", "reports", "--timeout", "200ms"}), 7, "reports");
  CHECK(c.query("leaf", "select paused from pgq_node.local_state where consumer_name = 'reports'") == "t");
  fails(c.try_cascade("root", {"pause", "leaf", "--consumer", "nobody"}), 1, "no cascaded consumer nobody");
  fails(c.try_cascade("root", {"pause", "laef"}), 1, "did you mean 'leaf'");
  fails(c.try_cascade("root", {"pause", "a", "b"}), 2, "surplus");
  json consumers = parsed(c.try_cascade("leaf", {"show-consumers", "--json"}));
  REQUIRE(consumers.size() == 2);
  CHECK(consumers[0] == json::parse(R"({"consumer": "reports", "worker": false, "provider": "root", "tick": 1,
                                        "paused": true, "uptodate": false, "error": null})"));
  CHECK(consumers[1]["worker"] == true);
}

TEST_CASE("the waits end when this node has what the other has now") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere("create table t (id int primary key)");
  c.start_all();
  c.add_tables({"t"});
  for (int i = 1; i <= 3; ++i) {
    c.query("root", "insert into t values (" + std::to_string(i) + ")");
    json done = parsed(c.try_cascade("leaf", {"wait-root", "--timeout", "20s", "--json"}));
    CHECK(c.query("leaf", "select max(id) from t") == std::to_string(i));
    CHECK(done["of"] == "root");
    CHECK(done["tick"] <= c.position("leaf"));
  }
  c.query("root", "insert into t values (10)");
  CHECK(c.try_cascade("branch", {"wait-provider", "--timeout", "20s"}).exit == 0);
  CHECK(c.query("branch", "select max(id) from t") == "10");
  CHECK(c.try_cascade("leaf", {"wait-sync", "--timeout", "20s"}).exit == 0);
  CHECK(c.query("leaf", "select max(id) from t") == "10");
  CHECK(c.try_cascade("root", {"wait-root"}).err.find("nothing to wait for") != std::string::npos);
  CHECK(c.try_cascade("root", {"wait-provider"}).exit == 0);
  c.stop("leaf");
  c.query("root", "insert into t values (11)");
  fails(c.try_cascade("leaf", {"wait-root", "--timeout", "400ms"}), 7, "is the worker running?");
}

TEST_CASE("status and set-status: workers, copies, versions, who holds back the watermark") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}, {"leaf2", "root"}});
  c.everywhere("create table t (id int primary key)");
  for (auto* node : {"root", "branch", "leaf2"}) c.start(node);
  c.run("root", {"add-table", "t"});
  c.run("branch", {"add-table", "t", "--wait-sync", "--timeout", "30s"});
  c.sync("branch");
  c.sync("leaf2");
  c.run("leaf", {"add-table", "t"});  // nobody copies it
  c.stop("leaf2");
  age_reader(c, "root", "set_leaf2");
  json set = parsed(c.try_cascade("root", {"set-status", "--json"}));
  REQUIRE(set.size() == 4);
  std::map<std::string, json> by_name;
  for (auto& node : set) by_name[node["node"]] = node;
  CHECK(by_name["root"]["worker"] == "running");
  CHECK(by_name["branch"]["worker"] == "running");
  CHECK(by_name["branch"]["last_seen"].is_number());
  CHECK(by_name["leaf2"]["worker"] == "not running");
  CHECK(by_name["leaf2"]["last_seen"] > 200);
  CHECK(by_name["leaf"]["copies"] == json::parse(R"([{"table": "public.t", "state": "wanted"}])"));
  CHECK(by_name["leaf"]["watermark"].is_null());
  CHECK(by_name["root"]["watermark"].is_number_integer());
  CHECK(by_name["root"]["versions"]["postgresql"].is_string());
  CHECK(by_name["root"]["versions"]["londiste"].is_string());
  CHECK(parsed(c.try_run("root", {"status", "--json"}))[0].size() == set[0].size());  // the same keys
  std::string tree = c.try_cascade("root", {"status", "-v"}).out;
  CAPTURE(tree);
  for (auto* text : {"Worker: running", "Worker: not running", "Copy: public.t wanted", "Versions: postgresql",
                     "Watermark: ", "held by leaf"})
    CHECK(tree.find(text) != std::string::npos);
  // Old enough, it is told without -v.
  c.query("root", "update pgq.tick set tick_time = tick_time - interval '2 hours' where tick_id <= 1");
  CHECK(c.try_cascade("root", {"status"}).out.find("old, held by leaf") != std::string::npos);
  std::string rows = c.try_cascade("root", {"set-status"}).out;
  CAPTURE(rows);
  CHECK(std::count(rows.begin(), rows.end(), '\n') == 5);
  CHECK(rows.find("not running") != std::string::npos);
}

TEST_CASE("status --watch looks again until a stop") {
  Cascade c({{"root"}}, false);
  test::Background watch({"cascade", "status", "--watch", "200ms", "--json", "--db", c.conninfo("root"), "-Q", "set"});
  auto lines = [&] {
    std::string out = watch.out();
    return std::count(out.begin(), out.end(), '\n');
  };
  CHECK(eventually(seconds(20), [&] { return lines() >= 3; }));
  CHECK(watch.stop() == 0);
  std::string first = watch.out().substr(0, watch.out().find('\n'));
  CHECK(json::parse(first).at(0)["node"] == "root");
  fails(c.try_cascade("root", {"status", "--watch", "1ms"}), 2, "100ms");
}

TEST_CASE("what is asked of one node works with all others down") {
  run::ThrowawayServer own({.wal_level = "replica"});
  Cascade c({{"root", "", &own}, {"leaf", "root"}}, false);
  own.crash();
  json node = parsed(c.try_cascade("leaf", {"node-status", "--json"}));
  CHECK(node["node"] == "leaf");
  CHECK(node["queue"] == "set");
  CHECK(node["provider"] == "root");
  CHECK(node["subscribers"] == json::array());
  CHECK(node["tick"].is_number_integer());
  CHECK(node["lag"].is_null());
  std::string text = c.try_cascade("leaf", {"node-status"}).out;
  for (auto* line : {"Node: leaf (leaf)   Queue: set", "Provider: root", "Subscribers: -", "Worker: "})
    CHECK(text.find(line) != std::string::npos);
  json info = parsed(c.try_cascade("leaf", {"node-info", "--json"}));
  CHECK(info["type"] == "leaf");
  CHECK(info["public_location"] == c.conninfo("leaf"));
  CHECK(info["provider_location"] == c.conninfo("root"));
  CHECK(info["worker_name"] == "set_leaf");
  CHECK(info["combined_queue"].is_null());
  text = c.try_cascade("leaf", {"node-info"}).out;
  for (auto* line : {"Node: leaf  Type: leaf  Queue: set", "Status: OK", "Connect strings:", "  Public:   "})
    CHECK(text.find(line) != std::string::npos);
  json members = parsed(c.try_cascade("leaf", {"members", "--json"}));
  CHECK(members == json::array({{{"node", "leaf"}, {"dead", false}, {"location", c.conninfo("leaf")}},
                                {{"node", "root"}, {"dead", false}, {"location", c.conninfo("root")}}}));
  CHECK(c.try_cascade("leaf", {"show-consumers"}).exit == 0);
  CHECK(c.try_cascade("leaf", {"status"}).out.find("root (no answer)") != std::string::npos);
  CHECK(parsed(c.try_cascade("leaf", {"set-status", "--json"})).size() == 2);
  fails(c.try_cascade("leaf", {"wait-root"}), 4, "root");
  fails(c.try_cascade("leaf", {"pause", "root"}), 4, "root");
  for (auto* command : {"node-status", "node-info", "members", "show-consumers", "status", "set-status", "pause"})
    fails(test::run_skytools({"cascade", command, "--db", c.conninfo("leaf"), "-Q", "nothing"}), 1, "nothing");
  own.start();
}
