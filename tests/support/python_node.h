#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/run/child.h"
#include "core/run/temp_folder.h"
#include "tests/support/cluster.h"

namespace skytools::test {

/// How long the original's programs may take: they poll, mostly every few seconds.
inline constexpr std::chrono::seconds kPythonPatience(120);

/// Are the original's programs or extensions not there? What is missing is told on stderr, as a skipped test.
bool python_peers_missing();

/// The original's `londiste` with a job file for one database of a set called `set`.
class PythonLondiste {
 public:
  /// @param job  names the worker; ours of the node NAME are called set_NAME, too
  PythonLondiste(const std::string& job, const std::string& conninfo);
  ~PythonLondiste();

  Output try_run(std::vector<std::string> args) const;
  void run(std::vector<std::string> args) const;  ///< @throws Error  when it fails
  void start_worker();
  void kill_worker() { worker_.reset(); }
  std::string log() const;  ///< the end of what its worker has to say

 private:
  std::string job_;
  run::TempFolder folder_{{}, "skytools_peer"};
  std::string ini_;
  std::unique_ptr<run::Child> worker_;
};

/// The original's ticker daemon on one database, whosever schema it has.
class PgqdTicker {
 public:
  PgqdTicker(const std::string& conninfo, const std::string& database);

 private:
  run::TempFolder folder_{{}, "skytools_peer"};
  std::unique_ptr<run::Child> daemon_;
};

/// A database with the original's schemas, and its programs working on it.
class PythonNode {
 public:
  /// The server all nodes share that don't name another one; the original's extensions are no part of its templates.
  static run::ThrowawayServer& plain_server();

  explicit PythonNode(const std::string& name, run::ThrowawayServer& on = plain_server());
  const std::string& conninfo() const { return db_.conninfo(); }
  std::string query(const std::string& sql) const { return db_.query(sql); }

  Output try_run(std::vector<std::string> args) const { return londiste_.try_run(std::move(args)); }
  void run(std::vector<std::string> args) const { londiste_.run(std::move(args)); }
  void start_worker() { londiste_.start_worker(); }
  void kill_worker() { londiste_.kill_worker(); }
  void start_ticker() { ticker_ = std::make_unique<PgqdTicker>(db_.conninfo(), db_.name()); }
  std::string log() const { return londiste_.log(); }

 private:
  std::string name_;
  Database db_;
  PythonLondiste londiste_;
  std::unique_ptr<PgqdTicker> ticker_;
};

}  // namespace skytools::test
