#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/option.h"
#include "core/config/settings.h"

namespace skytools::config {

/// A parsed command line: the flags as the strongest layer, and the words that are no flags.
struct Arguments {
  Layer flags;
  std::vector<std::string> words;
};

/// Flags may stand anywhere; `--` ends them. Earlier tables shadow later ones with the same flag. A repeated flag: the
/// last one counts, lists collect. A boolean whose built-in value is true also has `--no-FLAG`.
/// @throws UsageError  unknown flag (with a suggestion), missing or surplus value
Arguments parse_arguments(const std::vector<Options>& tables, const std::vector<std::string>& argv);

/// The layer of `--set KEY=VALUE` entries: keys of the tables that may stand in a file. @throws UsageError  unknown key
Layer override_layer(const std::vector<std::string>& entries, const std::vector<Options>& tables);

/// The option behind "--name", "--name=value", "-n" or "-nvalue", or null. For finding the command among options.
const Option* find_flag(std::span<const Options> tables, std::string_view argument);

/// SKYTOOLS_* variables of the tables' keys; an empty one counts as not set.
Layer environment_layer(const std::vector<Options>& tables);

}  // namespace skytools::config
