#pragma once
#include "cmd/command.h"

namespace skytools::cmd {

const Command& londiste_command();

}  // namespace skytools::cmd
