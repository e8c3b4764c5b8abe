#include "core/consumer/options.h"

#include "core/base/strings.h"
#include "core/log/log.h"

namespace skytools::consumer {

namespace {

std::string consumer_name(const config::Settings& config) {
  for (const char* key : {"consumer", "job"})
    if (config.has(key)) return config.text(key);
  throw UsageError("which consumer? name it with --consumer");
}

std::optional<milliseconds> duration_if_set(const config::Settings& config, std::string_view key) {
  return config.has(key) ? std::optional(config.duration(key)) : std::nullopt;
}

std::int64_t at_least(const config::Settings& config, std::string_view key, std::int64_t least) {
  std::int64_t value = config.integer(key);
  if (value < least)
    throw UsageError(std::string(key) + " must be at least " + std::to_string(least) + " (" + config.origin(key) + ")");
  return value;
}

bool declared(const config::Settings& config, std::string_view key) {
  return config::find_key(config.tables(), key) != nullptr;
}

pgq::BatchShape read_shape(const config::Settings& config) {
  pgq::BatchShape shape{.min_interval = duration_if_set(config, "min_interval"),
                        .keep_lag = duration_if_set(config, "keep_lag")};
  if (config.has("min_count")) {
    shape.min_count = at_least(config, "min_count", 0);
    if (*shape.min_count > INT32_MAX) throw UsageError("min_count is too large (" + config.origin("min_count") + ")");
  }
  if (shape.keep_lag && (shape.min_count || shape.min_interval))
    log::warning("keep_lag together with min_count or min_interval makes each look for a batch read many ticks");
  return shape;
}

}  // namespace

Settings read_settings(const config::Settings& config, const std::string& db) {
  if (!config.has("queue")) throw UsageError("which queue? name it with --queue (-Q)");
  Settings out{.reader = {.db = db, .queue = config.text("queue"), .name = consumer_name(config)},
               .may_register = config.boolean("register"),
               .once = config.boolean("once"),
               .shape = read_shape(config),
               .tables = split(config.text("table_filter"), ','),
               .loop_delay = config.duration("loop_delay"),
               .stats_interval = config.duration("stats_interval"),
               .lifetime = config.duration("connection_lifetime"),
               .longest_pause = config.duration("exception_sleep"),
               .fetch_bytes = static_cast<std::size_t>(config.size("fetch.max_bytes"))};
  if (declared(config, "subconsumer")) {
    out.reader.subconsumer = config.text("subconsumer");
    out.reader.dead_after = duration_if_set(config, "subconsumer_timeout");
  }
  for (auto [key, value] : {std::pair{"loop_delay", out.loop_delay}, {"stats_interval", out.stats_interval}})
    if (value.count() <= 0)
      throw UsageError(std::string(key) + " must be positive (" + config.origin(key) +
                       "); --once ends when nothing is left");
  return out;
}

Action read_action(const config::Settings& config) {
  Action out{.exec = config.text("exec"),
             .sql = {.statement = config.text("sql"),
                     .target = config.text("target"),
                     .on_error = parse_on_error(config.text("on_error")),
                     .tracking = parse_tracking(config.text("tracking"))},
             .on_error = parse_on_error(config.text("on_error"))};
  if (!out.exec.empty() && !out.sql.statement.empty()) throw UsageError("--exec and --sql exclude each other");
  if (!out.sql.target.empty() && out.sql.statement.empty()) throw UsageError("--target needs --sql");
  return out;
}

Route read_route(const config::Settings& config, bool split, const std::string& queue) {
  if (!config.has("to")) throw UsageError("where to? name the database with --to");
  Route route{.to = config.text("to"), .queue = "", .field = ""};
  if (!split) {
    route.queue = config.has("to_queue") ? config.text("to_queue") : queue;
    return route;
  }
  route.field = config.text("field");
  route.column = route_column(route.field);
  route.prefix = config.text("prefix");
  route.create_queues = config.boolean("create_queues");
  return route;
}

}  // namespace skytools::consumer
