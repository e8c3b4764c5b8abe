#include "cmd/ticker.h"

#include "cmd/context.h"
#include "core/log/log.h"
#include "core/run/notify.h"
#include "core/ticker/ticker.h"

namespace skytools::cmd {

namespace {

constexpr std::string_view kDetails =
    "Runs in one process, for each database: ticks, rotation and other maintenance, and the retry queue. One per "
    "database\n"
    "is enough; a second one stands by and takes over when the first is gone. A failing queue or database never holds "
    "up\n"
    "another. Producers wake a sleeping ticker; while it sleeps it takes no transaction id and writes no WAL.\n"
    "\n"
    "The user must be a member of pgq_admin; only VACUUM (where autovacuum is off) needs the owner of the tables.\n"
    "\n"
    "Examples:\n"
    "  skytools ticker --db 'host=db1 dbname=shop'                    one database, in the foreground\n"
    "  skytools ticker --db dbname=shop --db dbname=dw                two\n"
    "  skytools ticker --db 'host=db1 dbname=postgres' --discover     all databases of the server that have queues\n"
    "  skytools ticker --db dbname=shop --once                        what is due now, then exit\n"
    "  skytools ticker --db dbname=shop -d --pid-file /run/skytools/ticker.pid --log-file "
    "/var/log/skytools/ticker.log\n"
    "  skytools ticker --pid-file /run/skytools/ticker.pid --stop";

ticker::Settings settings_of(const config::Settings& config) {
  std::vector<std::string> databases = config.list("databases");
  if (databases.empty() && config.has("db")) databases.push_back(config.text("db"));
  return ticker::read_settings(config, std::move(databases));
}

/// New settings after a SIGHUP; bad ones are logged and the old ones stay.
std::optional<ticker::Settings> reread(Context& context) {
  if (!context.reload.exchange(false)) return std::nullopt;
  run::notify_reloading();
  std::optional<ticker::Settings> fresh;
  try {
    log::reopen();
    fresh = settings_of(context.reread());
    log::info("settings read again");
  } catch (const Error& e) {
    log::error("the old settings stay: " + describe(e));
  }
  run::notify_ready();
  return fresh;
}

int run_ticker(Context& context) {
  ticker::Ticker ticker(settings_of(context.settings), {.stop = context.stop,
                                                        .ready = run::notify_ready,
                                                        .alive = run::notify_alive,
                                                        .stopping = run::notify_stopping,
                                                        .reload = [&context] { return reread(context); }});
  if (context.dry_run) {
    ui::Table table({"Database", "SQL"});
    for (auto& step : ticker.plan()) table.add({step.database, step.sql});
    context.print(table);
    return 0;
  }
  context.settings.boolean("once") ? ticker.run_once() : ticker.run();
  return 0;
}

}  // namespace

constinit const Command kTickerCommand = {
    .name = "ticker",
    .help = "tick, rotate, retry and maintain the queues of one or many databases",
    .options = ticker::kTickerOptions,
    .daemon = true,
    .run = run_ticker,
    .details = kDetails,
    .job = "ticker"};

}  // namespace skytools::cmd
