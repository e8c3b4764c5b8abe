#pragma once
#include "cmd/command.h"

namespace skytools::cmd {

extern const Command kCascadeCommand;

}  // namespace skytools::cmd
