#include "cmd/londiste_commands.h"
#include "core/base/error.h"
#include "core/log/log.h"
#include "core/londiste/options.h"
#include "core/run/notify.h"
#include "core/schema/state.h"

namespace skytools::cmd {

namespace {

/// What an operator must mend is told before the worker starts; later failures are waited out.
void check_node(Context& context, const std::string& queue) {
  pg::Connection c("db", context.db_conninfo(), {.stop = &context.stop});
  schema::require(c, {"pgq", "pgq_node", "londiste"});
  pg::Transaction tx(c, pg::Mode::autocommit);
  auto info = cascade::node_info(tx, queue);
  if (!info)
    throw Error("[" + c.label() + "] there is no node of queue " + queue +
                "; create one with: skytools londiste create-root, create-branch or create-leaf");
  log::info("worker starts", {{"queue", queue},
                              {"node", info->name},
                              {"type", std::string(to_string(info->type))},
                              {"worker", info->worker_name}});
}

}  // namespace

int londiste_worker(Context& context) {
  std::string queue = context.queue();
  auto settings = londiste::read_worker_settings(context.settings);
  settings.db = context.db_conninfo();
  londiste::Replay replay(londiste::read_replay_settings(context.settings));
  check_node(context, queue);
  auto heartbeat = [&context] {
    run::notify_alive();
    if (!context.reload.exchange(false)) return;
    run::notify_reloading();
    log::reopen();
    run::notify_ready();
  };
  cascade::Worker(settings, replay, context.stop, run::notify_ready, heartbeat).run();
  run::notify_stopping();
  return 0;
}

}  // namespace skytools::cmd
