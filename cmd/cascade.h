#pragma once
#include "cmd/command.h"

namespace skytools::cmd {

/// `skytools cascade …`: nodes of any cascaded queue.
const Command& cascade_command();

}  // namespace skytools::cmd
