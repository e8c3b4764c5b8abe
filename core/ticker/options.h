#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/base/deadline.h"
#include "core/config/settings.h"

namespace skytools::ticker {

/// Keys of the job type "ticker". The names of the original daemon's file mean the same here; a bare number is seconds.
inline constexpr config::Option kTickerOptions[] = {
    {.key = "databases",
     .type = config::Type::list,
     .help = "database to serve, repeatable",
     .value = "CONNINFO",
     .flag = "db",
     .when = config::When::reload,
     .connection = true},
    {.key = "discover",
     .type = config::Type::boolean,
     .help = "serve every database of the server that has the schema pgq; --db, else initial_database, is where to ask",
     .when = config::When::reload},
    {.key = "max_lag",
     .type = config::Type::duration,
     .fallback = "10ms",
     .help = "longest wait of an event for its tick while consumers keep up, in queues with the default ticker_max_lag "
             "of 3s",
     .when = config::When::reload},
    {.key = "ticker_period",
     .type = config::Type::duration,
     .fallback = "1s",
     .help = "longest pause between two looks at the queues; woken earlier by producers",
     .when = config::When::reload},
    {.key = "maint_period",
     .type = config::Type::duration,
     .fallback = "120s",
     .help = "pause between maintenance rounds (rotation, vacuum, watermarks)",
     .when = config::When::reload},
    {.key = "retry_period",
     .type = config::Type::duration,
     .fallback = "30s",
     .help = "pause between rounds that move due retry events back into their queues",
     .when = config::When::reload},
    {.key = "check_period",
     .type = config::Type::duration,
     .fallback = "60s",
     .help = "how often to look for new databases, and for the schema where it was missing",
     .when = config::When::reload},
    {.key = "stats_period",
     .type = config::Type::duration,
     .fallback = "30s",
     .help = "pause between lines of statistics; 0: none",
     .when = config::When::reload},
    {.key = "connection_lifetime",
     .type = config::Type::duration,
     .fallback = "1h",
     .help = "age at which the connection of a ticker is renewed",
     .when = config::When::reload},
    {.key = "database_list",
     .type = config::Type::list,
     .help = "name of a database to serve, reached by base_connstr, repeatable",
     .value = "NAME",
     .when = config::When::reload},
    {.key = "base_connstr",
     .help = "connection string without dbname, for database_list and discovery",
     .value = "CONNINFO",
     .when = config::When::reload},
    {.key = "initial_database",
     .fallback = "postgres",
     .help = "database that is asked for the list of databases",
     .value = "NAME",
     .when = config::When::reload},
};

/// The times a running ticker may be told anew.
struct Periods {
  milliseconds max_lag{10};
  milliseconds ticker{std::chrono::seconds(1)};
  milliseconds maint{std::chrono::minutes(2)};
  milliseconds retry{std::chrono::seconds(30)};
  milliseconds check{std::chrono::minutes(1)};
  milliseconds stats{std::chrono::seconds(30)};
  milliseconds lifetime{std::chrono::hours(1)};
};

/// What a ticker works on.
struct Settings {
  std::vector<std::string> databases;  ///< connection strings; with discovery: of one database of each server
  bool discover = false;
  Periods periods;
};
using SettingsSource = std::function<Periods()>;

/// From the merged configuration. `databases`: what --db or the job names, empty for nothing.
/// @throws UsageError  when a period is not positive
Settings read_settings(const config::Settings& config, std::vector<std::string> databases);

}  // namespace skytools::ticker
