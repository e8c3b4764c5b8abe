#include "core/londiste/options.h"

namespace skytools::londiste {

namespace {
std::int64_t at_least(const config::Settings& config, std::string_view key, std::int64_t least) {
  std::int64_t value = config.integer(key);
  if (value < least)
    throw UsageError(std::string(key) + " must be at least " + std::to_string(least) + " (" + config.origin(key) + ")");
  return value;
}
}  // namespace

cascade::WorkerSettings read_worker_settings(const config::Settings& config) {
  cascade::WorkerSettings settings = cascade::read_worker_settings(config);
  settings.catch_up_events = at_least(config, "apply.catch_up", 0);
  return settings;
}

ReplaySettings read_replay_settings(const config::Settings& config) {
  auto bytes = config.size("apply.max_bytes");
  return {.limits = {.max_rows = static_cast<std::size_t>(at_least(config, "apply.max_rows", 1)),
                     .max_bytes = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1))},
          .parallel_copies = static_cast<std::size_t>(at_least(config, "copy.parallel", 1)),
          .stats_period = config.duration("stats_interval")};
}

}  // namespace skytools::londiste
