#include "cmd/cascade_worker.h"

#include <ostream>

#include "core/base/error.h"
#include "core/cascade/forward.h"
#include "core/cascade/position.h"
#include "core/cascade/worker.h"
#include "core/log/log.h"
#include "core/run/cascade_sql.h"
#include "core/run/notify.h"
#include "core/schema/state.h"

namespace skytools::cmd {

namespace {

void check_node(Context& context, const cascade::WorkerSettings& settings,
                std::initializer_list<std::string_view> schemas) {
  pg::Connection c("db", settings.db, {.stop = &context.stop});
  schema::require(c, schemas);
  pg::Transaction tx(c, pg::Mode::autocommit);
  auto info = cascade::node_info(tx, settings.queue);
  if (!info)
    throw Error("[" + c.label() + "] there is no node of queue " + settings.queue +
                "; create one with: skytools londiste create-root, create-branch or create-leaf");
  bool worker = settings.kind() == cascade::ConsumerKind::worker;
  if (!worker && !cascade::consumer_state(tx, settings.queue, settings.consumer))
    throw Error("[" + c.label() + "] consumer " + settings.consumer + " of queue " + settings.queue +
                " is not registered here; --register does that");
  log::info(worker ? "worker starts" : "consumer starts", {{"queue", settings.queue},
                                                           {"node", info->name},
                                                           {"type", std::string(to_string(info->type))},
                                                           {"worker", worker ? info->worker_name : settings.consumer}});
}

/// --rewind, --reset: true when one of them was carried out.
bool repositioned(Context& context, const cascade::WorkerSettings& settings) {
  bool rewind = context.settings.boolean("rewind"), reset = context.settings.boolean("reset");
  if (rewind && reset) throw UsageError("--rewind and --reset exclude each other");
  if (rewind) report(context, cascade::rewind(settings, context.dry_run, context.stop));
  if (reset) report(context, cascade::reset(settings, context.dry_run, context.stop));
  return rewind || reset;
}

std::string consumer_name(const Context& context) {
  for (const char* key : {"consumer", "job"})
    if (context.settings.has(key)) return context.settings.text(key);
  throw UsageError("which consumer? name it with --consumer");
}

/// --register, --unregister. False: nothing is left to do.
bool registered(Context& context, const cascade::WorkerSettings& settings) {
  const config::Settings& s = context.settings;
  bool wanted = s.boolean("register"), gone = s.boolean("unregister");
  if (wanted && gone) throw UsageError("--register and --unregister exclude each other");
  if (!wanted && s.has("provider")) throw UsageError("--provider goes with --register");
  if (wanted) report(context, cascade::register_consumer(settings, s.text("provider"), context.dry_run, context.stop));
  if (gone) report(context, cascade::unregister_consumer(settings, context.dry_run, context.stop));
  return !gone && !(wanted && (context.dry_run || !s.has("sql")));
}

}  // namespace

void report(Context& context, const std::string& text) {
  if (context.dry_run)
    context.out << text << '\n';
  else
    log::info(text);
}

int run_cascaded(Context& context, cascade::WorkerSettings settings, cascade::EventHandler& handler,
                 std::initializer_list<std::string_view> schemas) {
  check_node(context, settings, schemas);
  if (repositioned(context, settings)) return 0;
  auto heartbeat = [&context] {
    run::notify_alive();
    if (!context.reload.exchange(false)) return;
    run::notify_reloading();
    log::reopen();
    run::notify_ready();
  };
  cascade::Worker(std::move(settings), handler, context.stop, run::notify_ready, heartbeat).run();
  run::notify_stopping();
  return 0;
}

int cascade_worker(Context& context) {
  auto settings = cascade::read_worker_settings(context.settings);
  settings.queue = context.queue();
  settings.db = context.db_conninfo();
  cascade::Forward forward;
  return run_cascaded(context, std::move(settings), forward, {"pgq", "pgq_node"});
}

int cascade_consumer(Context& context) {
  auto settings = cascade::read_worker_settings(context.settings);
  settings.queue = context.queue();
  settings.db = context.db_conninfo();
  settings.consumer = consumer_name(context);
  bool positions = context.settings.boolean("rewind") || context.settings.boolean("reset");
  bool registers = context.settings.boolean("register") || context.settings.boolean("unregister");
  if (!context.settings.has("sql") && !positions && !registers)
    throw UsageError("what shall be done with the events? give a statement with --sql");
  // Parsed first: a statement that cannot work is no reason to register its consumer.
  run::CascadeSql handler(context.settings.text("sql"));
  if (!registered(context, settings)) return 0;
  return run_cascaded(context, std::move(settings), handler, {"pgq", "pgq_node"});
}

}  // namespace skytools::cmd
