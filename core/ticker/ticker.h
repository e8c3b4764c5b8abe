#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/stop.h"
#include "core/ticker/database.h"
#include "core/ticker/options.h"

namespace skytools::ticker {

/// How a ticker speaks with the process around it.
struct Surroundings {
  const StopToken& stop;
  std::function<void()> ready = [] {};     ///< called once, when the work has begun
  std::function<void()> alive = [] {};     ///< called about every second
  std::function<void()> stopping = [] {};  ///< called when a stop begins
  std::function<std::optional<Settings>()> reload = [] {
    return std::nullopt;
  };  ///< new settings, when somebody asked to reload
};

/// The ticker of one or many databases: owns a Database for each, finds new ones, writes the line of statistics.
class Ticker {
 public:
  Ticker(Settings settings, Surroundings surroundings);

  /// Until a stop. With a single database it must be there and have the schema at the start.
  /// @throws ConnectError, SchemaMissing, UsageError  at the start only
  void run();
  /// Everything that is due, once, one database after the other. @throws Error  when anything failed
  void run_once();
  /// What run_once() would do now.
  struct Step {
    std::string database, sql;
  };
  std::vector<Step> plan();

 private:
  /// Is the database there, with its schema? @throws ConnectError, SchemaMissing, UsageError
  void probe(const std::string& conninfo) const;
  std::vector<std::string> named_or_found() const;
  void start_and_stop(const std::vector<std::string>& wanted);
  void search();
  void apply(Settings settings);
  void write_stats();
  void stop_all();
  Periods periods() const;

  struct Counts {
    std::int64_t ticks = 0, maint = 0, retry = 0, errors = 0;
  };
  const Surroundings around_;
  mutable std::mutex mutex_;  ///< guards periods_, which the threads of the databases read
  Periods periods_;
  Settings settings_;
  std::map<std::string, std::unique_ptr<Database>> databases_;  ///< by connection string
  std::map<std::string, Counts> told_;                          ///< by connection string: what the last line counted
};

}  // namespace skytools::ticker
