#pragma once
#include <string>
#include <vector>

#include "core/cascade/steps.h"

namespace skytools::cascade {

/// A node moved: other nodes reach it by another connect string now.
struct Relocation {
  std::string node, location;
  bool force = false;  ///< also while the root does not answer: it does not learn of the change
};

/// Proves that the string leads to that very node, then tells the root, which tells everybody, and all that answer.
/// After net.survey(). @return false: everybody knew it already  @throws Error, Refused, pg::ConnectError
bool set_location(Net& net, Steps& steps, const Relocation& request);

/// Tags nodes as dead or alive on every node that answers: admin commands leave dead ones alone and no watermark waits
/// for them. Without `force` only nodes that don't answer can be dead, never the root or the local node, and only those
/// that do can be alive. After net.survey(), for `alive` with the dead ones too. @return the nodes whose tag changed
std::vector<std::string> tag(Net& net, Steps& steps, const std::vector<std::string>& nodes, bool dead, bool force);

}  // namespace skytools::cascade
