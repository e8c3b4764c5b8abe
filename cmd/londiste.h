#pragma once
#include "cmd/command.h"

namespace skytools::cmd {

extern const Command kLondisteCommand;

}  // namespace skytools::cmd
