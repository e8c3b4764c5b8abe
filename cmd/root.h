#pragma once
#include "cmd/command.h"
#include "core/config/file.h"

namespace skytools::cmd {

/// The job types a file may hold: the daemon commands that name one, with their options as its keys.
const config::JobTypes& job_types();

/// The command that runs jobs of that type, or null.
const Command* command_of_job(std::string_view type);

}  // namespace skytools::cmd
