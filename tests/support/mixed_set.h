#pragma once
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/python_node.h"
#include "tests/support/roaming_load.h"

namespace skytools::test {

/// A node of ours in a set called `set`, with its worker and a ticker.
class OurNode {
 public:
  explicit OurNode(const std::string& name, run::ThrowawayServer& on = server());
  const std::string& conninfo() const { return db_.conninfo(); }
  /// `skytools londiste ARGS --yes` on the node.
  Output try_run(std::vector<std::string> args, const ProgramOptions& options = {.limit = kPythonPatience}) const;
  void run(std::vector<std::string> args) const;  ///< @throws Error  when it fails
  void start_worker();
  void start_ticker();
  void start_pgqd() { pgqd_ = std::make_unique<PgqdTicker>(conninfo(), db_.name()); }  ///< the original's instead
  std::string log() const { return worker_ ? worker_->log() : ""; }

 private:
  std::string name_;
  Database db_;
  std::unique_ptr<Background> worker_, ticker_;
  std::unique_ptr<PgqdTicker> pgqd_;
};

/// A running set of the original's nodes and ours, with the tables of RoamingLoad: the root `pyroot` feeds our `branch`
/// and our `leaf`, `branch` feeds the original's `pyleaf`.
struct MixedSet {
  explicit MixedSet(run::ThrowawayServer& root_on = PythonNode::plain_server(),
                    run::ThrowawayServer& branch_on = server());

  static const std::vector<std::string>& names();
  const std::string& conninfo(const std::string& node) const;
  std::string query(const std::string& node, const std::string& sql) const { return test::query(conninfo(node), sql); }
  std::string log(const std::string& node) const;
  /// Where a root can be.
  std::vector<std::string> writers() const { return {pyroot.conninfo(), branch.conninfo()}; }
  std::string root() const;
  /// "pyroot < pyroot; branch < pyroot; …": each node and its provider; the root is its own.
  std::string types() const;

  /// The idle period of the root's ticker. Copies are handed over at ticks: an idle set has few.
  void tick_every(const std::string& root, const std::string& period) const;
  void wait_for_copies(const std::string& node) const;
  /// A tick of the root with all that is committed now.
  std::int64_t tick(const std::string& root) const;
  /// CHECKs that `root` alone takes writes, that nobody is paused or in trouble and that all have the load's rows.
  void expect_equal(const RoamingLoad& load, const std::string& root, const std::vector<std::string>& nodes = names(),
                    const std::set<std::int64_t>& lost = {}) const;

  PythonNode pyroot;
  PythonNode pyleaf{"pyleaf"};
  OurNode branch, leaf{"leaf"};
};

}  // namespace skytools::test
