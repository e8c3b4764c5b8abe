#pragma once
#include <string>
#include <vector>

#include "cmd/command.h"

namespace skytools::cmd {

/// A command found on the command line.
struct Invocation {
  std::vector<const Command*> path;    ///< from the root to the command
  std::vector<std::string> arguments;  ///< the command line without the command's words
  const Command& command() const { return *path.back(); }
  std::string words() const;  ///< "londiste add-table"; "" for the root
};

/// Walks from the root: options may stand before each word. Ends at a command without children or at the last word.
/// @throws UsageError  unknown command, with a suggestion
Invocation find_command(const Command& root, const std::vector<std::string>& argv);

/// The child of that name. @throws UsageError  with a suggestion
const Command& child_of(const Command& parent, const std::string& path, const std::string& name);

/// Option tables of a command, the most special first.
std::vector<config::Options> tables_of(const Command& command);

/// The whole program after main(): parses, runs, prints what went wrong, returns the exit code.
int run(const std::vector<std::string>& argv);

}  // namespace skytools::cmd
