#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/config/arguments.h"
#include "core/config/file.h"
#include "core/config/settings.h"

namespace skytools::config {

/// Everything the settings of one command come from, besides files and the environment.
struct Sources {
  std::vector<Options> tables;        ///< of the command, of daemons if it is one, of every command: in this order
  Layer flags;                        ///< from parse_arguments
  JobTypes types;                     ///< what jobs may stand in a file
  std::string_view wanted_type = {};  ///< type of job the command runs; empty: any
  Layer database = {};                ///< facts stored in the database
};

struct Loaded {
  Settings settings;
  std::vector<std::string> warnings;  ///< about the file, for the log
};

/// Reads file and environment and merges: flag > environment > job > defaults > database > built-in. Values of
/// connection options that name one of the file's `connections:` are replaced by it. Called again to reload.
/// @throws UsageError
Loaded load(const Sources& sources);

}  // namespace skytools::config
