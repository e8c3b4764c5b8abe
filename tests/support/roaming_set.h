#pragma once
#include <string>
#include <vector>

#include "tests/support/cascade.h"
#include "tests/support/roaming_load.h"

namespace skytools::test {

/// A running set with the tables of RoamingLoad, for role changes: root, a branch below it and a leaf below that, or
/// what the plan says. Every node that can be a root has its ticker.
struct RoamingSet {
  explicit RoamingSet(std::vector<NodePlan> nodes = {{"root"}, {"branch", "root"}, {"leaf", "branch"}});

  std::vector<NodePlan> plan;
  Cascade c;

  std::vector<std::string> conninfos(const std::vector<std::string>& nodes) const;
  /// `skytools londiste ARGS --yes` on that node.
  Output role(const std::string& node, std::vector<std::string> args, ProgramOptions options = {}) const {
    return c.try_run(node, confirmed(std::move(args)), std::move(options));
  }
  std::vector<std::string> role_args(const std::string& node, std::vector<std::string> args) const;
  /// "root < root; branch < root; …": each node and its provider; the root is its own.
  std::string types() const;
  /// CHECKs that all nodes (those named) have the load's rows, once they have caught up with the root.
  void expect_equal(const RoamingLoad& load, std::vector<std::string> nodes = {},
                    const std::set<std::int64_t>& lost = {});

 private:
  static std::vector<std::string> confirmed(std::vector<std::string> args) {
    args.emplace_back("--yes");
    return args;
  }
};

}  // namespace skytools::test
