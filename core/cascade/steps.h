#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/cascade/net.h"

namespace skytools::cascade {

/// One statement with its parameters: a call `pgq_node.f($1, …)` that answers with ret_code and ret_note, or any other
/// SQL.
struct Call {
  std::string sql;
  std::vector<pg::Param> params = {};

  /// Runs it. @throws Error  a ret_code from 400 on  @return ret_code, 0 for other SQL
  int run(pg::Transaction& tx) const;
  std::string text() const;  ///< with the parameters as literals, for people; passwords masked
};

/// A step that was taken, or would be.
struct Told {
  std::string node, what, sql;
};

/// Takes the steps of an admin command, each a transaction of its own on one node. Under dry-run they are only told.
class Steps {
 public:
  Steps(Net& net, bool dry_run) : net_(net), dry_run_(dry_run) {}
  bool dry_run() const { return dry_run_; }
  const std::vector<Told>& told() const { return told_; }

  /// All calls in one transaction. Logged as `what`.
  void take(const std::string& node, const std::string& what, const std::vector<Call>& calls);
  /// The same through another connection than the net's.
  void take(pg::Connection& at, const std::string& node, const std::string& what, const std::vector<Call>& calls);
  /// A step that is more than SQL: `sql` tells what it would send.
  void take(const std::string& node, const std::string& what, const std::string& sql, const std::function<void()>& run);
  /// A wait, or a decision worth telling.
  void wait(const std::string& node, const std::string& what, const std::function<void()>& run) {
    take(node, what, "", run);
  }

 private:
  Net& net_;
  bool dry_run_;
  std::vector<Told> told_;
};

}  // namespace skytools::cascade
