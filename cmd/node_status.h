#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/cascade/status.h"
#include "core/ui/table.h"

/// How the commands about the state of nodes show one of them.
namespace skytools::cmd {

/// For people, one fact a line. `all`: also what is only of interest when something is wrong.
std::vector<std::string> info_lines(const cascade::NodeStatus& node, bool all);

/// For machines; the same keys for every node.
std::vector<std::pair<std::string, ui::Cell>> node_members(const cascade::NodeStatus& node);

}  // namespace skytools::cmd
