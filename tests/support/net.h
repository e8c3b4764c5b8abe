#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/cluster.h"

namespace skytools::test {

/// Databases with nodes of any number of queues, their tickers and workers, all made by the real binary. One set with
/// one node per database is easier had with Cascade.
class Net {
 public:
  /// A database with all schemas and a ticker.
  explicit Net(const std::vector<std::string>& databases);
  ~Net();

  const std::string& conninfo(const std::string& db) const { return databases_.at(db)->conninfo(); }
  std::string query(const std::string& db, const std::string& sql) const { return databases_.at(db)->query(sql); }

  /// `skytools NOUN ARGS` with --db and --queue.
  Output try_run(const std::string& noun, const std::string& db, const std::string& queue,
                 std::vector<std::string> args) const;
  /// The same; must succeed. @return its stdout
  std::string run(const std::string& noun, const std::string& db, const std::string& queue,
                  std::vector<std::string> args) const;
  /// `londiste create-TYPE DB_QUEUE`: the node's name is db.queue with a line between. `provider` is a database.
  void node(const std::string& db, const std::string& queue, const std::string& type, const std::string& provider = "",
            std::vector<std::string> args = {}) const;
  static std::string node_name(const std::string& db, const std::string& queue) { return db + "_" + queue; }

  /// Starts a daemon of the node: {"londiste", "worker"}, {"cascade", "worker"}, {"cascade", "consumer", …}.
  Background& start(const std::string& db, const std::string& queue, std::vector<std::string> command,
                    const ProgramOptions& options = {});
  Background& worker(const std::string& db, const std::string& queue) { return *workers_.at(db + "/" + queue); }
  void stop(const std::string& db, const std::string& queue);

  /// A new tick on the root `db` of the queue that has all that is committed now. @return its id
  std::int64_t tick(const std::string& db, const std::string& queue) const;
  std::int64_t position(const std::string& db, const std::string& queue, const std::string& consumer = "") const;
  /// Waits for that position. @throws TimedOut  with what the node says is wrong
  void reach(const std::string& db, const std::string& queue, std::int64_t tick, const std::string& consumer = "");
  std::string errors(const std::string& db) const;

 private:
  std::map<std::string, std::unique_ptr<Database>> databases_;
  std::map<std::string, std::unique_ptr<Background>> tickers_, workers_;
};

}  // namespace skytools::test
