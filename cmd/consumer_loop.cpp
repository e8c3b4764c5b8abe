#include "cmd/consumer_loop.h"

#include "core/base/error.h"
#include "core/consumer/exec_sink.h"
#include "core/consumer/sql_sink.h"
#include "core/log/log.h"
#include "core/run/notify.h"
#include "core/run/supervisor.h"

namespace skytools::cmd {

namespace {

/// New settings after a SIGHUP; bad ones are logged and the old ones stay.
std::optional<consumer::Settings> reread(Context& context) {
  if (!context.reload.exchange(false)) return std::nullopt;
  run::notify_reloading();
  std::optional<consumer::Settings> fresh;
  try {
    log::reopen();
    config::Settings settings = context.reread();
    fresh = consumer::read_settings(settings, source_conninfo(context, settings));
    log::info("settings read again");
  } catch (const Error& e) {
    log::error("the old settings stay: " + describe(e));
  }
  run::notify_ready();
  return fresh;
}

/// What would be run, for --dry-run.
void print_plan(Context& context, const consumer::Settings& s) {
  ui::Table table({"Step", "Detail"});
  std::string who = "'" + s.reader.queue + "', '" + s.reader.name + "'";
  if (s.may_register) table.add({"register when missing", "select pgq.register_consumer(" + who + ")"});
  table.add({"open a batch", s.reader.subconsumer.empty() ? "select pgq.next_batch_custom(" + who + ", …)"
                                                          : "select pgq_coop.next_batch_custom(" + who + ", '" +
                                                                s.reader.subconsumer + "', …)"});
  std::string filter = consumer::table_condition(s.tables);
  table.add({"read its events", "pgq.batch_event_sql(…)" + (filter.empty() ? "" : " where " + filter)});
  for (const char* key : {"exec", "sql", "target", "tracking_file", "to", "to_queue", "field"}) {
    bool declared = config::find_key(context.settings.tables(), key) != nullptr;
    if (declared && context.settings.has(key)) table.add({key, config::mask_password(context.settings.text(key))});
  }
  table.add({"close it", "select skytools.answer_batch(…)"});
  context.print(table);
}

}  // namespace

consumer::Surroundings surroundings(Context& context) {
  return {.stop = context.stop, .ready = [] {}, .alive = run::notify_alive};
}

std::string source_conninfo(const Context& context, const config::Settings& settings) {
  bool has_from = config::find_key(context.settings.tables(), "from") != nullptr;
  for (const char* key : {"from", "db"})
    if ((has_from || key != std::string_view("from")) && settings.has(key)) return settings.text(key);
  return "";
}

std::unique_ptr<consumer::Sink> make_sink(const consumer::Action& action, const consumer::Settings& settings,
                                          Context& context) {
  if (!action.exec.empty()) return std::make_unique<consumer::ExecSink>(action.exec, action.on_error, settings.reader);
  if (!action.sql.statement.empty())
    return std::make_unique<consumer::SqlSink>(action.sql, context.stop, run::notify_alive);
  return nullptr;
}

int run_loop(Context& context, const consumer::Settings& settings, consumer::Sink& sink) {
  if (context.dry_run) {
    print_plan(context, settings);
    return 0;
  }
  consumer::Surroundings around = surroundings(context);
  std::function<void()> begun = [] {};
  around.ready = [&begun] {
    begun();
    run::notify_ready();
  };
  consumer::Loop loop(settings, sink, around, [&context] { return reread(context); });
  if (settings.once) {
    loop.run();
  } else {
    auto work = [&](const std::function<void()>& has_begun) {
      begun = has_begun;
      loop.run();
    };
    run::supervise("consumer " + settings.reader.name, context.stop, work,
                   {.first = milliseconds(250), .longest = settings.longest_pause, .quiet = std::chrono::seconds(5)});
  }
  run::notify_stopping();
  return 0;
}

}  // namespace skytools::cmd
