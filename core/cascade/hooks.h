#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/cascade/steps.h"

namespace skytools::cascade {

/// What the layer above knows about nodes that change places; empty members: nothing to say.
struct Hooks {
  using Reasons = std::vector<std::string>;  ///< one line each, for people
  /// Why `node` cannot follow `root` as the root now. Both are alive.
  std::function<Reasons(pg::Connection& root, pg::Connection& node)> not_ready;
  /// Why a node should not get another provider now.
  std::function<Reasons(pg::Connection& node)> not_movable;
  /// Run with a move that was forced all the same: what makes it right, in the transaction of the move.
  std::vector<Call> after_forced_move = {};
  /// What runs in the transaction that removes `node` from its own database, before that.
  std::function<std::vector<Call>(pg::Connection& node)> before_drop = {};
};

}  // namespace skytools::cascade
