#pragma once
#include <functional>
#include <string>

#include "core/base/deadline.h"
#include "core/run/throwaway.h"
#include "tests/support/program.h"  // run_skytools, Background, pgbench: what nearly every test of a database needs too

namespace skytools::test {

/// The server all cases of a test executable share; started by the first use, which must be in the main thread.
/// Prepared transactions and logical decoding work; autovacuum is off, so nothing takes transaction ids but the test.
run::ThrowawayServer& server();

/// A database of its own for one test case, dropped with the object (sessions in it are ended).
class Database {
 public:
  /// @param on  another server than the shared one
  explicit Database(run::ThrowawayServer& on = server());
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();
  const std::string& conninfo() const { return conninfo_; }
  const std::string& name() const { return name_; }
  std::string query(const std::string& sql) const;

 private:
  run::ThrowawayServer& server_;
  std::string name_, conninfo_;
};

/// Runs one or more statements on a connection of its own; the rows of the last one as psql -At shows them: columns
/// joined by
/// `|`, rows by a line end; NULL is shown as `NULL`. @throws pg::SqlError
std::string query(const std::string& conninfo, const std::string& sql);

/// Asks every 20 ms until it is true. False when it still isn't at the deadline. What the predicate throws comes
/// through.
bool eventually(milliseconds limit, const std::function<bool()>& predicate);

}  // namespace skytools::test
