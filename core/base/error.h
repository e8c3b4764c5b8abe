#pragma once
#include <stdexcept>
#include <string>

namespace skytools {

/// Base of everything that ends a batch or a command. `what()` is one line, lower case, ready for a user. Exit code 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The command line or the configuration is wrong. Exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// A check found a difference, or work to do. Exit code 3.
class DifferenceFound : public Error {
 public:
  using Error::Error;
};

/// Refused on purpose: already running, locked, not confirmed, or a safety gate. The text names the override. Exit
/// code 5.
class Refused : public Error {
 public:
  using Error::Error;
};

/// A schema is missing or too old; the text names the command that installs it. Exit code 6.
class SchemaMissing : public Error {
 public:
  using Error::Error;
};

/// A wait ended at its deadline. Exit code 7.
class TimedOut : public Error {
 public:
  using Error::Error;
};

/// A stop was asked for while waiting; what was open is rolled back. Not a failure: daemons exit 0.
class Stopped : public Error {
 public:
  Stopped() : Error("stopped") {}
};

/// The texts of an exception and of those nested in it, outermost first, joined by ": ".
std::string describe(const std::exception& e);

}  // namespace skytools
