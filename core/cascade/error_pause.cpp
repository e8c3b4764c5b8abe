#include "core/cascade/error_pause.h"

#include "core/cascade/session.h"
#include "core/log/log.h"

namespace skytools::cascade {

namespace {

constexpr milliseconds kLook(1000);   ///< between two looks at the flags, where nobody notifies
constexpr milliseconds kLimit(3000);  ///< for the local node's answers

/// False: the pause is over.
bool watch(pg::Connection& c, const WorkerSettings& settings, const std::string& name) {
  c.notifications();
  pg::Transaction tx(c, pg::Mode::autocommit);
  auto state = consumer_state(tx, settings.queue, name);
  if (!state || state->uptodate) return true;
  run_command(tx, "pgq_node.set_consumer_uptodate($1, $2, true)", {settings.queue, name});
  return false;
}

}  // namespace

void pause_after_error(const WorkerSettings& settings, const std::string& text, milliseconds pause,
                       const StopToken& stop, const std::function<void()>& alive) {
  Deadline end(pause);
  try {
    pg::Connection c("db", settings.db,
                     {.connect_timeout = kLimit,
                      .statement_timeout = kLimit,
                      .stop = &stop,
                      .application_name = "skytools worker",
                      .on_wait = alive});
    pg::listen(c, kNodeChannel);
    std::string name = settings.consumer;
    {
      pg::Transaction tx(c, pg::Mode::autocommit);
      if (name.empty())
        if (auto info = node_info(tx, settings.queue)) name = info->worker_name;
      run_command(tx, "pgq_node.set_consumer_error($1, $2, $3)", {settings.queue, name, text});
    }
    while (!end.passed() && watch(c, settings, name)) {
      alive();
      if (!pg::wait_readable({&c}, end.left(kLook), stop)) return;
    }
    return;
  } catch (const Stopped&) {
    return;
  } catch (const Error& e) {
    log::debug("the error could not be stored", {{"error", std::string(e.what())}});
  }
  while (!end.passed() && stop.wait(end.left(kLook))) alive();
}

}  // namespace skytools::cascade
