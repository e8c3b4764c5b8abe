#pragma once
#include <string>
#include <thread>
#include <vector>

#include "core/base/stop.h"
#include "core/pg/connection.h"
#include "core/ticker/options.h"
#include "core/ticker/stats.h"

namespace skytools::ticker {

/// How every connection of a ticker is made.
pg::ConnectOptions connect_options(const StopToken& stop);

/// One database under care: a thread ticks through a lasting connection, a second one connects for each maintenance and
/// retry round. Each comes back by itself after any failure, so neither another database nor the other thread notices.
class Database {
 public:
  Database(std::string conninfo, SettingsSource settings);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();  ///< stops and waits

  const std::string& conninfo() const { return conninfo_; }
  const Stats& stats() const { return stats_; }
  /// Ends both threads soon; what runs is cancelled and rolled back: everything here may be done again at any time.
  void stop() { stop_.cancel(); }

 private:
  void tick();
  void maintain();
  bool one_maintenance(bool maint, bool retry);

  const std::string conninfo_;
  const SettingsSource settings_;
  StopToken stop_;
  Stats stats_;
  std::thread tick_thread_, maintenance_thread_;
};

/// Everything due in one database, then done: maintenance, retry, and last the ticks, which show what was moved.
/// @return failures that were logged  @throws ConnectError, SchemaMissing, SqlError, Stopped
int serve_once(const std::string& conninfo, const Periods& periods, const StopToken& stop);

/// The statements serve_once() would run now.
struct Plan {
  std::string database;  ///< "db1/shop"; its name alone where the connection string says nothing
  std::vector<std::string> statements;
};
/// @throws ConnectError, SchemaMissing, SqlError, Stopped
Plan plan_once(const std::string& conninfo, const StopToken& stop);

}  // namespace skytools::ticker
