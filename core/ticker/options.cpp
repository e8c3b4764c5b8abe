#include "core/ticker/options.h"

#include <array>
#include <utility>

#include "core/base/error.h"
#include "core/pg/connection.h"

namespace skytools::ticker {

namespace {

struct PeriodKey {
  std::string_view key;
  milliseconds Periods::*member;
  milliseconds least;
};
constexpr PeriodKey kPeriodKeys[] = {
    {"max_lag", &Periods::max_lag, milliseconds(0)},
    {"ticker_period", &Periods::ticker, milliseconds(10)},
    {"maint_period", &Periods::maint, milliseconds(100)},
    {"retry_period", &Periods::retry, milliseconds(100)},
    {"check_period", &Periods::check, milliseconds(100)},
    {"stats_period", &Periods::stats, milliseconds(0)},
    {"connection_lifetime", &Periods::lifetime, std::chrono::seconds(1)},
};

}  // namespace

Settings read_settings(const config::Settings& config, std::vector<std::string> databases) {
  Settings out;
  for (auto& [key, member, least] : kPeriodKeys) {
    out.periods.*member = config.duration(key);
    if (out.periods.*member < least)
      throw UsageError(config.origin(key) + ": " + std::string(key) + " must be at least " +
                       std::to_string(least.count()) + "ms");
  }
  out.discover = config.boolean("discover");
  out.databases = std::move(databases);
  if (!out.databases.empty()) return out;

  std::string base = config.text("base_connstr");
  for (auto& name : config.list("database_list")) out.databases.push_back(pg::with_keyword(base, "dbname", name));
  if (!out.databases.empty()) return out;

  out.databases.push_back(out.discover ? pg::with_keyword(base, "dbname", config.text("initial_database")) : base);
  return out;
}

}  // namespace skytools::ticker
