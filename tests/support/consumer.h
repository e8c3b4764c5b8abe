#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/run/temp_folder.h"
#include "tests/support/cluster.h"

namespace skytools::test {

/// A database with all schemas and a queue "q" that ticks only when told, and `skytools consumer` on it.
class QueueWorld {
 public:
  explicit QueueWorld(run::ThrowawayServer& on = server());

  const std::string& conninfo() const { return db_.conninfo(); }
  std::string query(const std::string& sql) const { return db_.query(sql); }
  std::string path(const std::string& name) const { return folder_.path() / name; }
  std::string read(const std::string& name) const;  ///< "" when there is no such file

  /// Inserts events of type "t" with data 1…n; no tick.
  void insert(int n) const;
  void tick() const;  ///< a tick that has all that is committed
  void batch(int n) const { insert(n), tick(); }
  void retries_come_back() const;  ///< all of the retry queue, whatever their time, and a tick

  /// `skytools consumer FORM ARGS` for consumer "c" of queue "q".
  Output run(const std::string& form, std::vector<std::string> args, ProgramOptions options = {}) const;
  std::vector<std::string> command(const std::string& form, const std::vector<std::string>& args) const;
  /// A shell script as a command for --exec: BODY is run for each event with $id and $data set; it answers by itself.
  std::string script(const std::string& body, const std::string& at_start = "") const;
  /// Like `run` with a consumer that must succeed.
  Output drain(const std::string& form, const std::vector<std::string>& args) const;

 private:
  Database db_;
  run::TempFolder folder_{{}, "skytools_consumer."};
};

/// Variables that set fail points.
ProgramOptions failing(const std::string& points);

}  // namespace skytools::test
