#pragma once
#include <exception>
#include <string>

namespace skytools::cmd {

/// Exit codes are an interface: cli.md of the documentation, `man skytools`.
enum ExitCode {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kDifference = 3,
  kUnreachable = 4,
  kRefused = 5,
  kSchemaMissing = 6,
  kTimedOut = 7,
  kInternal = 70,
};

/// What ended a command, for people and for machines.
struct Failure {
  int exit = kInternal;
  std::string message;               ///< one line, passwords masked
  std::string connection, sqlstate;  ///< empty when no server was involved
  bool stopped = false;              ///< somebody asked for it: the good end of a daemon
};

/// The one place where exceptions become exit codes. An exception that only adds context is looked through.
Failure classify(const std::exception_ptr& error);

/// The failure as the object of `--json`: {"error": {"exit": …, "message": …}}.
std::string to_json(const Failure& failure);

}  // namespace skytools::cmd
