// Role changes in sets of the original's nodes and ours: switchover, takeover by the original's tool, change-provider,
// failover and resurrect, each under a load that follows the root. Skipped with a line where the original isn't
// installed.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "tests/support/cascade.h"
#include "tests/support/python_node.h"
#include "tests/support/roaming_load.h"

using namespace skytools;
using std::chrono::seconds;
using test::Database;
using test::eventually;
using test::kPythonPatience;
using test::PgqdTicker;
using test::ProgramOptions;
using test::PythonLondiste;
using test::PythonNode;
using test::RoamingLoad;
using Ids = std::set<std::int64_t>;

namespace {

/// A node of ours with its worker.
class OurNode {
 public:
  explicit OurNode(const std::string& name) : name_(name) {
    if (auto o = test::run_skytools({"install", "--db", conninfo()}); o.exit != 0) throw Error(o.err);
  }
  const std::string& name() const { return name_; }
  const std::string& conninfo() const { return db_.conninfo(); }
  const std::string& database() const { return db_.name(); }
  test::Output try_run(std::vector<std::string> args, ProgramOptions options = {.limit = kPythonPatience}) const {
    args.insert(args.begin(), "londiste");
    args.insert(args.end(), {"--db", conninfo(), "-Q", "set", "--yes"});
    return test::run_skytools(args, options);
  }
  void run(std::vector<std::string> args) const {
    auto o = try_run(args);
    if (o.exit != 0) throw Error(name_ + ": " + args.at(0) + " failed: " + o.err);
  }
  void start_worker() {
    worker_ = std::make_unique<test::Background>(
        std::vector<std::string>{"londiste", "worker", "--db", conninfo(), "-Q", "set", "--exception-sleep", "1s"});
  }
  void start_ticker() {
    ticker_ = std::make_unique<test::Background>(std::vector<std::string>{"ticker", "--db", conninfo()});
  }
  void start_pgqd() { pgqd_ = std::make_unique<PgqdTicker>(conninfo(), database()); }
  std::string log() const { return worker_ ? worker_->log() : ""; }

 private:
  std::string name_;
  Database db_;
  std::unique_ptr<test::Background> worker_, ticker_;
  std::unique_ptr<PgqdTicker> pgqd_;
};

/// pyroot (the original's) feeds our branch and our leaf; a leaf of the original's reads from our branch.
struct MixedSet {
  explicit MixedSet(run::ThrowawayServer& root_on = PythonNode::plain_server()) : pyroot("pyroot", root_on) {
    for (auto& node : names()) test::query(conninfo(node), test::kRoamingTables);
    pyroot.query(test::kRoamingRows);
    pyroot.start_ticker();
    pyroot.run({"create-root", "pyroot", pyroot.conninfo()});
    tick_every("pyroot", "1 second");
    pyroot.start_worker();
    pyroot.run({"add-table", "ledger", "account"});
    for (auto& [node, kind] : {std::pair(&branch, "branch"), std::pair(&leaf, "leaf")}) {
      node->run({std::string("create-") + kind, kind, "--provider", pyroot.conninfo()});
      node->start_worker();
      node->run({"add-table", "ledger", "account", "--wait-sync", "--timeout", "100s"});
    }
    pyleaf.run({"create-leaf", "pyleaf", pyleaf.conninfo(), "--provider=" + branch.conninfo()});
    pyleaf.start_worker();
    pyleaf.run({"add-table", "ledger", "account"});
    wait_for_copies("pyleaf");
    tick_every("pyroot", "1 minute");
  }

  static const std::vector<std::string>& names() {
    static const std::vector<std::string> all{"pyroot", "branch", "pyleaf", "leaf"};
    return all;
  }
  const std::string& conninfo(const std::string& node) const {
    return node == "pyroot"   ? pyroot.conninfo()
           : node == "pyleaf" ? pyleaf.conninfo()
           : node == "branch" ? branch.conninfo()
                              : leaf.conninfo();
  }
  std::string query(const std::string& node, const std::string& sql) const { return test::query(conninfo(node), sql); }
  std::string log(const std::string& node) const {
    return node == "pyroot"   ? pyroot.log()
           : node == "pyleaf" ? pyleaf.log()
           : node == "branch" ? branch.log()
                              : leaf.log();
  }
  std::vector<std::string> writers() const { return {pyroot.conninfo(), branch.conninfo()}; }

  /// Copies are handed over at ticks: an idle set has few.
  void tick_every(const std::string& root, const std::string& period) const {
    query(root, "select pgq.set_queue_config('set', 'ticker_idle_period', '" + period + "')");
  }

  void wait_for_copies(const std::string& node) const {
    const char* const kOk =
        "select count(*) from londiste.table_info where local and merge_state = 'ok' and custom_snapshot is null";
    if (!eventually(kPythonPatience, [&] { return query(node, kOk) == "2"; }))
      throw TimedOut("the tables of " + node + " are not copied: " + log(node));
  }

  /// "pyroot < pyroot; branch < pyroot; …": each node and its provider; the root is its own.
  std::string types() const {
    std::string all;
    for (auto& node : names())
      all += query(node,
                   "select node_name || ' < ' || case node_type when 'root' then node_name else provider_node end"
                   " from pgq_node.get_node_info('set')") +
             "; ";
    return all;
  }

  std::string root() const {
    for (auto* node : {"pyroot", "branch"})
      if (query(node, "select node_type from pgq_node.node_info") == "root") return node;
    throw Error("there is no root");
  }

  /// A tick of the root with all that is committed now.
  std::int64_t tick(const std::string& root) const {
    const char* const kNewest = "select coalesce(max(tick_id), 0) from pgq.tick";
    std::int64_t before = std::stoll(query(root, kNewest));
    bool made = eventually(seconds(30), [&] {
      query(root, "select pgq.force_tick('set')");
      return std::stoll(query(root, kNewest)) > before + 1;  // the first may have been under way
    });
    if (!made) throw Error("no tick was made on " + root);
    return std::stoll(query(root, kNewest));
  }

  /// CHECKs that `root` alone takes writes, that nobody is paused or in trouble and that all have the load's rows.
  void expect_equal(const RoamingLoad& load, const std::string& root, std::vector<std::string> nodes = names(),
                    const Ids& lost = {}) const {
    std::int64_t wanted = tick(root);
    for (auto& node : nodes) {
      INFO(node);
      bool there = eventually(seconds(40), [&] {
        return std::stoll(query(node, "select worker_last_tick from pgq_node.get_node_info('set')")) >= wanted;
      });
      REQUIRE_MESSAGE(there, query(node, "select * from pgq_node.local_state") << log(node));
      CHECK(load.verify(conninfo(node), lost) == "");
      for (auto* table : {"ledger", "account"})
        CHECK(test::checksum(conninfo(node), table) == test::checksum(conninfo(root), table));
      CHECK(query(node, "select count(*) from pgq_node.local_state where cur_error is not null or paused") == "0");
      CHECK(query(node, "select node_type = 'root' from pgq_node.node_info") == (node == root ? "t" : "f"));
      if (node != "leaf" && node != "pyleaf")
        CHECK(query(node, "select queue_disable_insert or queue_external_ticker from pgq.queue") ==
              (node == root ? "f" : "t"));
    }
  }

  PythonNode pyroot;
  PythonNode pyleaf{"pyleaf"};
  OurNode branch{"branch"}, leaf{"leaf"};
};

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

TEST_CASE("the original's root crashes and comes back below our branch") {
  if (test::python_peers_missing()) return;
  run::ThrowawayServer server{{.wal_level = "replica"}};
  run::TempFolder folder{{}, "skytools_test"};
  MixedSet s(server);
  s.branch.start_ticker();
  s.leaf.run({"change-provider", "--provider", "pyroot", "--node", "pyleaf"});
  auto load = std::make_unique<RoamingLoad>(s.writers());
  REQUIRE(more(*load, 300));
  server.crash();
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
  // It can be the root again.
  o = s.leaf.try_run({"switchover", "--to", "pyroot"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  s.expect_equal(*load, "pyroot", MixedSet::names(), lost);
}
