#include <unistd.h>

#include "cmd/consumer_commands.h"
#include "cmd/consumer_loop.h"
#include "cmd/queue_commands.h"
#include "core/base/error.h"
#include "core/consumer/local_sink.h"
#include "core/consumer/move_sink.h"
#include "core/consumer/print_sink.h"
#include "core/log/log.h"

namespace skytools::cmd {

namespace {

consumer::Settings settings_of(const Context& context) {
  return consumer::read_settings(context.settings, source_conninfo(context, context.settings));
}

/// Events on stdout must reach somebody before their batch is closed.
std::unique_ptr<consumer::Sink> printing_sink(const Context& context, const consumer::Settings& settings) {
  if (context.settings.boolean("daemon")) throw UsageError("a daemon has no stdout to print to");
  if (context.settings.integer("quiet") > 1) throw UsageError("-qq would throw the events away");
  return std::make_unique<consumer::PrintSink>(STDOUT_FILENO, settings.reader);
}

/// --rewind, --reset: true when one of them was asked for.
bool wants_repositioning(const Context& context) {
  bool rewind = context.settings.boolean("rewind"), reset = context.settings.boolean("reset");
  if (rewind && reset) throw UsageError("--rewind and --reset exclude each other");
  return rewind || reset;
}

/// --rewind or --reset for --dry-run. True when there is nothing else to do.
bool only_tell(const Context& context, const std::string& rewind, const std::string& reset) {
  if (!context.dry_run) return false;
  ui::Table table({"Step", "Detail"});
  bool back = context.settings.boolean("rewind");
  table.add({back ? "rewind" : "reset", back ? rewind : reset});
  context.print(table);
  return true;
}

int reposition_file(Context& context, const consumer::Settings& settings, const consumer::PositionFile& file) {
  if (context.settings.boolean("reset")) {
    if (only_tell(context, "", "remove " + file.path())) return 0;
    file.remove();
    log::info("tracking file removed, the next start goes on where the queue stands", {{"file", file.path()}});
    return 0;
  }
  auto tick = file.read();
  if (!tick) throw Error("tracking file '" + file.path() + "' has no position to rewind to");
  if (only_tell(context, "move the queue to tick " + std::to_string(*tick), "")) return 0;
  consumer::Source source(settings.reader, {.stop = &context.stop});
  consumer::move_to(source, *tick, "tracking file '" + file.path() + "'");
  log::info("the queue was moved to the tick of the tracking file", {{"tick", *tick}});
  return 0;
}

int bridge(Context& context, bool split) {
  consumer::Settings settings = settings_of(context);
  auto around = surroundings(context);
  consumer::MoveSink sink(consumer::read_route(context.settings, split, settings.reader.queue), context.stop,
                          around.alive);
  if (!wants_repositioning(context)) return run_loop(context, settings, sink);
  if (only_tell(context, "move the queue to the tick in the target's pgq_ext.completed_tick",
                "select pgq_ext.set_last_tick('" + settings.reader.name + "', null)"))
    return 0;
  consumer::Source source(settings.reader, {.stop = &context.stop});
  if (context.settings.boolean("rewind")) {
    sink.rewind(source);
  } else {
    auto kept = sink.reset(source);
    log::info("the target has forgotten the position",
              {{"consumer", settings.reader.name}, {"tick", kept.value_or(0)}});
  }
  return 0;
}

}  // namespace

int consumer_list(Context& context) {
  QueueDatabase db(context);
  pg::Transaction tx(db.connection(), pg::Mode::autocommit);
  auto queue = wanted_queue(context);
  if (queue) pgq::queue_named(tx, *queue);
  auto consumers = pgq::consumers(tx, queue);
  if (consumers.empty()) log::info("no consumers; 'skytools queue register QUEUE CONSUMER' makes one");
  ui::Table table({"Queue", "Consumer", "State", "Lag", "Last seen", "Pending", "Last tick", "Batch", "Next tick"});
  for (auto& c : consumers)
    table.add({c.queue, c.name, consumer_state(c), c.lag, c.last_seen, c.pending, c.last_tick, c.batch, c.next_tick});
  if (context.json || !consumers.empty()) context.print(table);
  return 0;
}

int consumer_run(Context& context) {
  consumer::Settings settings = settings_of(context);
  auto sink = make_sink(consumer::read_action(context.settings), settings, context);
  if (!sink) throw UsageError("what shall be done with the events? --exec or --sql");
  return run_loop(context, settings, *sink);
}

int consumer_local(Context& context) {
  consumer::Settings settings = settings_of(context);
  if (!context.settings.has("tracking_file"))
    throw UsageError("where is the position kept? name it with --tracking-file");
  consumer::PositionFile file(context.settings.text("tracking_file"));
  if (wants_repositioning(context)) return reposition_file(context, settings, file);
  consumer::Action action = consumer::read_action(context.settings);
  // The file has the position, so nothing else may have it, too.
  action.sql.finish_early = false;
  action.sql.tracking = consumer::Tracking::none;
  auto inner = make_sink(action, settings, context);
  if (!inner) inner = printing_sink(context, settings);
  consumer::LocalSink sink(std::move(file), *inner);
  return run_loop(context, settings, sink);
}

int consumer_move(Context& context) { return bridge(context, false); }
int consumer_split(Context& context) { return bridge(context, true); }

int consumer_print(Context& context) {
  consumer::Settings settings = settings_of(context);
  auto sink = printing_sink(context, settings);
  return run_loop(context, settings, *sink);
}

}  // namespace skytools::cmd
