#include "core/ticker/maintenance.h"

#include <functional>

#include "core/log/log.h"

namespace skytools::ticker {

namespace {

constexpr int kMaxRepeats = 1000;  // of one operation that keeps asking to be called again
constexpr milliseconds kLockTimeout = std::chrono::seconds(10);

/// False when it failed, which is logged.
bool attempt(pg::Connection& connection, Stats& stats, const std::string& what, const std::function<void()>& action) {
  try {
    action();
    return true;
  } catch (const Stopped&) {
    throw;
  } catch (const Error& e) {
    if (connection.lost()) throw;
    ++stats.errors;
    log::warning(what + " failed: " + describe(e), {{"db", connection.database()}});
    return false;
  }
}

void check_stop(const pg::Connection& connection) {
  if (connection.stop()) connection.stop()->check();
}

void run_repeatedly(pg::Connection& connection, Api& api, const Operation& operation) {
  for (int i = 0; i < kMaxRepeats; ++i) {
    check_stop(connection);
    if (!api.run(operation)) return;
  }
  throw Error("still asks to be called again after " + std::to_string(kMaxRepeats) + " calls");
}

}  // namespace

int maintenance_round(pg::Connection& connection, Stats& stats) {
  Api api(connection);
  api.set_session(kLockTimeout);
  std::vector<Operation> operations;
  int failed = 0;
  if (!attempt(connection, stats, "pgq.maint_operations", [&] { operations = api.maint_operations(); })) {
    ++failed;
    operations = {{"pgq.maint_rotate_tables_step2", {}}};  // a rotation half done keeps batches slow
  }
  for (auto& operation : operations)
    if (!attempt(connection, stats, operation.str(), [&] { run_repeatedly(connection, api, operation); })) ++failed;
  ++stats.maint;
  log::debug("maintenance round",
             {{"db", connection.database()}, {"operations", operations.size()}, {"failed", failed}});
  return failed;
}

int retry_round(pg::Connection& connection, Stats& stats) {
  Api api(connection);
  api.set_session(kLockTimeout);
  std::int64_t moved = 0;
  bool done = attempt(connection, stats, "pgq.maint_retry_events", [&] {
    while (std::int64_t n = api.retry_events()) {
      moved += n;
      stats.retry += n;
      check_stop(connection);
    }
  });
  if (moved > 0) log::debug("events moved from the retry queue", {{"db", connection.database()}, {"events", moved}});
  return done ? 0 : 1;
}

}  // namespace skytools::ticker
