#include "tests/support/mixed_set.h"

#include <doctest/doctest.h>

#include "core/base/error.h"
#include "tests/support/cascade.h"

namespace skytools::test {

using std::chrono::seconds;

OurNode::OurNode(const std::string& name, run::ThrowawayServer& on) : name_(name), db_(on) {
  if (auto o = run_skytools({"install", "--db", conninfo()}); o.exit != 0) throw Error(o.err);
}

Output OurNode::try_run(std::vector<std::string> args, const ProgramOptions& options) const {
  args.insert(args.begin(), "londiste");
  args.insert(args.end(), {"--db", conninfo(), "-Q", "set", "--yes"});
  return run_skytools(args, options);
}

void OurNode::run(std::vector<std::string> args) const {
  std::string what = name_ + ": " + args.at(0);
  if (auto o = try_run(std::move(args)); o.exit != 0) throw Error(what + " failed: " + o.err);
}

void OurNode::start_worker() {
  worker_ = std::make_unique<Background>(
      std::vector<std::string>{"londiste", "worker", "--db", conninfo(), "-Q", "set", "--exception-sleep", "1s"});
}

void OurNode::start_ticker() {
  ticker_ = std::make_unique<Background>(std::vector<std::string>{"ticker", "--db", conninfo()});
}

MixedSet::MixedSet(run::ThrowawayServer& root_on, run::ThrowawayServer& branch_on)
    : pyroot("pyroot", root_on), branch("branch", branch_on) {
  for (auto& node : names()) query(node, kRoamingTables);
  pyroot.query(kRoamingRows);
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

const std::vector<std::string>& MixedSet::names() {
  static const std::vector<std::string> all{"pyroot", "branch", "pyleaf", "leaf"};
  return all;
}

const std::string& MixedSet::conninfo(const std::string& node) const {
  if (node == "pyroot") return pyroot.conninfo();
  if (node == "pyleaf") return pyleaf.conninfo();
  return node == "branch" ? branch.conninfo() : leaf.conninfo();
}

std::string MixedSet::log(const std::string& node) const {
  if (node == "pyroot") return pyroot.log();
  if (node == "pyleaf") return pyleaf.log();
  return node == "branch" ? branch.log() : leaf.log();
}

std::string MixedSet::root() const {
  for (auto* node : {"pyroot", "branch"})
    if (query(node, "select node_type from pgq_node.node_info") == "root") return node;
  throw Error("there is no root");
}

std::string MixedSet::types() const {
  std::string all;
  for (auto& node : names())
    all += query(node,
                 "select node_name || ' < ' || case node_type when 'root' then node_name else provider_node end"
                 " from pgq_node.get_node_info('set')") +
           "; ";
  return all;
}

void MixedSet::tick_every(const std::string& root, const std::string& period) const {
  query(root, "select pgq.set_queue_config('set', 'ticker_idle_period', '" + period + "')");
}

void MixedSet::wait_for_copies(const std::string& node) const {
  const std::string copied =
      "select count(*) from londiste.table_info where local and merge_state = 'ok' and custom_snapshot is null";
  if (!eventually(kPythonPatience, [&] { return query(node, copied) == "2"; }))
    throw TimedOut("the tables of " + node + " are not copied: " + log(node));
}

std::int64_t MixedSet::tick(const std::string& root) const {
  const std::string newest = "select coalesce(max(tick_id), 0) from pgq.tick";
  std::int64_t before = std::stoll(query(root, newest));
  bool made = eventually(seconds(30), [&] {
    query(root, "select pgq.force_tick('set')");
    return std::stoll(query(root, newest)) > before + 1;  // the first may have been under way
  });
  if (!made) throw Error("no tick was made on " + root);
  return std::stoll(query(root, newest));
}

void MixedSet::expect_equal(const RoamingLoad& load, const std::string& root, const std::vector<std::string>& nodes,
                            const std::set<std::int64_t>& lost) const {
  std::int64_t wanted = tick(root);
  for (auto& node : nodes) {
    INFO(node);
    bool there = eventually(seconds(40), [&] {
      return std::stoll(query(node, "select worker_last_tick from pgq_node.get_node_info('set')")) >= wanted;
    });
    REQUIRE_MESSAGE(there, query(node, "select * from pgq_node.local_state") << log(node));
    CHECK(load.verify(conninfo(node), lost) == "");
    for (auto* table : {"ledger", "account"}) CHECK(checksum(conninfo(node), table) == checksum(conninfo(root), table));
    CHECK(query(node, "select count(*) from pgq_node.local_state where cur_error is not null or paused") == "0");
    CHECK(query(node, "select node_type = 'root' from pgq_node.node_info") == (node == root ? "t" : "f"));
    if (!node.ends_with("leaf"))
      CHECK(query(node, "select queue_disable_insert or queue_external_ticker from pgq.queue") ==
            (node == root ? "f" : "t"));
  }
}

}  // namespace skytools::test
