#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/cluster.h"

namespace skytools::test {

/// A database with the schemas of `skytools install` for `skytools queue …`.
class QueueDatabase : public Database {
 public:
  QueueDatabase();

  /// `skytools queue ARGS`, as the superuser or as another role.
  Output try_run(std::vector<std::string> args, const std::string& input = "", const std::string& role = "") const;
  /// The same; must succeed. @return its stdout
  std::string run(std::vector<std::string> args, const std::string& input = "") const;
  /// What it prints with --json.
  nlohmann::json ask(std::vector<std::string> args, const std::string& input = "") const;
  /// One line on stderr that begins with "skytools: ", nothing on stdout.
  void check_failure(std::vector<std::string> args, int exit, const std::string& message,
                     const std::string& input = "") const;
};

bool contains(const std::string& text, const std::string& part);

/// All that a queue command could change, as text.
std::string everything(const Database& db);

}  // namespace skytools::test
