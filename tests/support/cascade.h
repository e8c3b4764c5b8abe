#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/cluster.h"

namespace skytools::test {

/// One node a test wants: {"leaf", "branch"} reads from node "branch". The type is the name up to a digit: root,
/// branch, leaf, leaf2.
struct NodePlan {
  std::string name, provider = {};
  run::ThrowawayServer* server = nullptr;  ///< null: the shared one
};

/// A set called `set` with its databases, schemas, nodes, a ticker and workers, all made by the real binary.
class Cascade {
 public:
  explicit Cascade(std::vector<NodePlan> plan, bool with_ticker = true);
  ~Cascade();

  const std::string& conninfo(const std::string& node) const { return databases_.at(node)->conninfo(); }
  std::string query(const std::string& node, const std::string& sql) const { return databases_.at(node)->query(sql); }
  void everywhere(const std::string& sql) const;  ///< on every node

  /// `skytools londiste ARGS` on the node.
  Output try_run(const std::string& node, std::vector<std::string> args, ProgramOptions options = {}) const;
  /// `skytools cascade ARGS` on the node.
  Output try_cascade(const std::string& node, std::vector<std::string> args, ProgramOptions options = {}) const;
  /// `skytools londiste ARGS`; must succeed. @return its stdout
  std::string run(const std::string& node, std::vector<std::string> args) const;

  /// Starts the node's worker beside the test. `env` may hold SKYTOOLS_FAILPOINTS.
  Background& start(const std::string& node, ProgramOptions options = {}, std::vector<std::string> args = {});
  void start_all();
  Background& worker(const std::string& node) { return *workers_.at(node); }
  void stop(const std::string& node);
  void start_ticker();
  /// One ticker for the databases of these nodes instead.
  void start_ticker(const std::vector<std::string>& nodes);
  /// From now on that node is the root: tick(), sync() and what compares start from it.
  void root_is(const std::string& node) { root_ = node; }
  void stop_ticker() { ticker_.reset(); }

  /// Registers the tables from the root downwards and waits for their copies; the workers must run.
  void add_tables(const std::vector<std::string>& tables, const std::vector<std::string>& options = {});
  /// A new tick of the root that has all that is committed now. @return its id
  std::int64_t tick();
  /// Makes such a tick and waits until the node has applied it. @throws TimedOut  with what the node says is wrong
  void sync(const std::string& node, milliseconds limit = std::chrono::seconds(30));
  void sync_all();  ///< every node with a worker
  std::int64_t position(const std::string& node) const;
  /// The worker's stored error; "" when there is none.
  std::string error(const std::string& node) const;
  /// Rows of a query on the root and on the node, once both have the same tick. CHECKs nothing itself.
  bool same(const std::string& node, const std::string& sql) const { return query(root_, sql) == query(node, sql); }
  /// The same for whole tables, rows in any order, on all nodes. @return "" or the first difference
  std::string difference(const std::vector<std::string>& tables) const;
  /// "" when no copy is under way and no consumer of a copy is left anywhere.
  std::string leftovers() const;

 private:
  std::vector<NodePlan> plan_;
  std::string root_ = "root";
  std::map<std::string, std::unique_ptr<Database>> databases_;
  std::unique_ptr<Background> ticker_;
  std::map<std::string, std::unique_ptr<Background>> workers_;
};

/// New databases of a server are copies of template1, so all schemas are installed there, once.
void install_template(run::ThrowawayServer& server);

/// Rows and a checksum of a table, whatever the order.
std::string checksum(const std::string& conninfo, const std::string& table);

}  // namespace skytools::test
