#pragma once
#include <string>
#include <string_view>

#include "core/config/file.h"

namespace skytools::config {

/// A commented YAML file for one job of that type: every key with its help and built-in value.
std::string sample(const JobType& type, std::string_view help);

/// A file with one job as YAML: what `config convert` prints. Secrets stay, it is a file to run.
std::string to_yaml(const Job& job);

}  // namespace skytools::config
