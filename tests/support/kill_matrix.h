#pragma once
#include <string>
#include <vector>

namespace skytools::test {

/// Where a worker is killed: the fail point's name, the pass at which it strikes, and another fail point's action that
/// makes sure it is reached ("").
struct KillPoint {
  std::string name;
  int pass = 1;
  std::string with = {};
};

/// Kills the worker of `node` in a set root, branch, leaf at each of the points while the load writes, starts it again
/// and compares all nodes at the end of each round.
/// @param copying  the node copies both tables anew in each round
void kill_at(const std::string& node, const std::vector<KillPoint>& points, bool copying);

}  // namespace skytools::test
