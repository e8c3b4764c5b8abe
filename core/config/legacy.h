#pragma once
#include <string>

#include "core/config/file.h"

namespace skytools::config {

/// Reads a job file of the original programs: the section's name is the service ([londiste], [pgqd]), its keys are
/// mapped to ours. Keys that have no effect here are accepted with a warning; unknown ones are errors.
/// @throws UsageError  with file:line
JobFile parse_legacy(const std::string& text, const std::string& path, const JobTypes& types);

}  // namespace skytools::config
