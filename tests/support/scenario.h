#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace skytools::test {

/// One statement of a scenario, and where it is run.
struct Step {
  int line = 0;               ///< in the script
  std::string session = "a";  ///< a, b, …; each is a connection of its own
  std::string sql = {};       ///< "" for the end of a statement that was sent before
  bool sent = false;          ///< only sent, the answer comes with a later step of the session
  /// Set: the outcome is not the original's, for this reason, but `expected`.
  std::optional<std::string> reason = {};
  std::vector<std::string> expected = {};
};

/// Reads a script of SQL statements for several sessions. A statement ends with a line that ends in `;` outside of
/// `$$`. Lines between statements may be:
///     -- text          a comment
///     --@ b            what follows is run in session b (at first: a)
///     --@ b sends      the next statement is only sent; the script goes on when it has ended or waits for a lock
///     --@ b receives   here the answer to what b sent is awaited
///     --! reason       the outcome of the next statement differs from the original's, and is
///     --= line         this line, and this …
/// @throws Error  naming the line it can't make sense of
std::vector<Step> read_scenario(const std::filesystem::path& script);

/// Runs the steps one after another in a database. What a step leaves is lines: notices (`NOTICE: text`), rows (columns
/// joined by |, NULL is ~), then the command tag, or the error (`ERROR XX000: text`). @throws Error  when a connection
/// breaks or the script deadlocks
std::vector<std::vector<std::string>> run_scenario(const std::string& conninfo, const std::vector<Step>& steps);

}  // namespace skytools::test
