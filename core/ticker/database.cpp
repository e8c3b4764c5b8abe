#include "core/ticker/database.h"

#include "core/base/backoff.h"
#include "core/log/log.h"
#include "core/ticker/maintenance.h"
#include "core/ticker/tick_loop.h"

namespace skytools::ticker {

namespace {

/// A look or a tick that takes longer means a server that hangs: better to reconnect.
constexpr milliseconds kTickTimeout = std::chrono::seconds(60);
constexpr milliseconds kIdleCheck =
    std::chrono::seconds(1);  // maintenance: until it is seen that the database is served

std::string where(const std::string& conninfo) {
  std::string text = pg::conninfo_summary(conninfo);
  return text.empty() ? "default" : text;
}

}  // namespace

pg::ConnectOptions connect_options(const StopToken& stop) {
  return {.stop = &stop, .application_name = "skytools ticker"};
}

Database::Database(std::string conninfo, SettingsSource settings)
    : conninfo_(std::move(conninfo)), settings_(std::move(settings)) {
  tick_thread_ = std::thread([this] { tick(); });
  maintenance_thread_ = std::thread([this] { maintain(); });
}

Database::~Database() {
  stop();
  tick_thread_.join();
  maintenance_thread_.join();
}

void Database::tick() {
  Backoff backoff;
  bool told_missing = false;
  auto failed = [&](const std::string& text) {
    ++stats_.errors;
    stats_.state = State::failing;
    milliseconds pause = backoff.next();
    log::warning(text, {{"db", where(conninfo_)}, {"retry_ms", pause.count()}});
    stop_.wait(pause);
  };
  while (!stop_.requested()) {
    try {
      pg::ConnectOptions options = connect_options(stop_);
      options.statement_timeout = kTickTimeout;
      pg::Connection connection("ticker", conninfo_, options);
      TickLoop loop(connection, stats_);
      told_missing = false;
      loop.run([&] {  // asked before each look: the one before succeeded
        if (stats_.state == State::serving) backoff.reset();
        return settings_();
      });
    } catch (const Stopped&) {
    } catch (const SchemaMissing& e) {
      stats_.state = State::no_schema;
      if (!std::exchange(told_missing, true)) log::warning(e.what());
      stop_.wait(settings_().check);
    } catch (const std::exception& e) {
      failed(describe(e));
    }
  }
}

void Database::maintain() {
  Backoff backoff{std::chrono::seconds(1), std::chrono::seconds(60)};
  Clock::time_point maint_at{}, retry_at{};  // the first rounds start as soon as the database is served
  while (!stop_.requested()) {
    auto now = Clock::now();
    bool maint = now >= maint_at, retry = now >= retry_at;
    if (stats_.state != State::serving || (!maint && !retry)) {
      auto next = std::chrono::ceil<milliseconds>(std::min(maint_at, retry_at) - now);
      stop_.wait(std::clamp(next, milliseconds(10), kIdleCheck));
      continue;
    }
    if (!one_maintenance(maint, retry)) {
      stop_.wait(backoff.next());
      continue;
    }
    backoff.reset();
    Periods periods = settings_();
    if (maint) maint_at = Clock::now() + periods.maint;
    if (retry) retry_at = Clock::now() + periods.retry;
  }
}

/// False when the connection failed; failures of single operations only count.
bool Database::one_maintenance(bool maint, bool retry) {
  try {
    pg::Connection connection("maintenance", conninfo_, connect_options(stop_));
    if (maint) maintenance_round(connection, stats_);
    if (retry) retry_round(connection, stats_);
    return true;
  } catch (const Stopped&) {
    return true;
  } catch (const std::exception& e) {
    ++stats_.errors;
    log::warning(describe(e), {{"db", where(conninfo_)}});
    return false;
  }
}

int serve_once(const std::string& conninfo, const Periods& periods, const StopToken& stop) {
  Stats stats;
  pg::Connection connection("ticker", conninfo, connect_options(stop));
  TickLoop loop(connection, stats);
  if (!loop.take_turn_once()) return 0;
  int failed = maintenance_round(connection, stats) + retry_round(connection, stats);
  failed += loop.tick_once(periods);
  log::info("done", {{"db", connection.database()},
                     {"ticks", stats.ticks.load()},
                     {"retry", stats.retry.load()},
                     {"failed", failed}});
  return failed;
}

Plan plan_once(const std::string& conninfo, const StopToken& stop) {
  pg::Connection connection("ticker", conninfo, connect_options(stop));
  Api api(connection);
  std::string summary = pg::conninfo_summary(conninfo);
  Plan plan{summary.empty() ? connection.database() : summary, {}};
  for (auto& operation : api.maint_operations()) plan.statements.push_back(operation.sql());
  plan.statements.emplace_back(kRetrySql);
  for (auto& queue : api.check()) {
    auto wanted = api.has_skytools() ? std::optional(milliseconds(0)) : std::nullopt;
    if (decide(queue, wanted).due) plan.statements.push_back(api.tick_sql(queue.name, lag_limit(queue, wanted)));
  }
  return plan;
}

}  // namespace skytools::ticker
