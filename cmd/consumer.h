#pragma once
#include "cmd/command.h"

namespace skytools::cmd {

extern const Command kConsumerCommand;

}  // namespace skytools::cmd
