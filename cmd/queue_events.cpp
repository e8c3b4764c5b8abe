#include <unistd.h>

#include <ostream>

#include "cmd/queue_commands.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/log/log.h"
#include "core/pgq/event_file.h"
#include "core/pgq/peek.h"
#include "core/pgq/send.h"
#include "core/ui/progress.h"

namespace skytools::cmd {

namespace {

constexpr std::size_t kDataWidth = 60;  ///< columns of a table

/// The event of --type, --data and --extra1 … --extra4; nullopt when none is given.
std::optional<pgq::NewEvent> event_of_flags(const config::Settings& s) {
  pgq::NewEvent event;
  bool any = false;
  for (std::size_t i = 0; i < pgq::kEventFields.size(); ++i) {
    if (!s.given(pgq::kEventFields[i])) continue;
    pgq::field(event, i) = s.text(pgq::kEventFields[i]);
    any = true;
  }
  return any ? std::optional(event) : std::nullopt;
}

int send_one(Context& context, const pgq::NewEvent& event) {
  const std::string& queue = context.args[0];
  QueueDatabase db(context);
  pg::Transaction tx(db.connection());
  pgq::queue_named(tx, queue);
  if (context.dry_run) {
    print_steps(context, {{"insert an event into queue " + queue, pgq::send_event_sql(queue, event)}});
    return 0;
  }
  std::int64_t id = pgq::send_event(tx, queue, event);
  tx.commit();
  report(context, "event " + std::to_string(id) + " sent to queue " + queue,
         {{"queue", queue}, {"events", 1}, {"event_id", id}});
  return 0;
}

std::unique_ptr<pgq::EventFile> open_input(const Context& context) {
  auto source = pgq::read_from(STDIN_FILENO, context.stop);
  return context.settings.text("format") == "csv" ? pgq::csv_file(source) : pgq::jsonl_file(source);
}

std::int64_t send_all(Context& context, pgq::EventFile& input, pgq::Sender* sender) {
  ui::Progress progress("sending to queue " + context.args[0], 0, ui::Progress::Unit::rows,
                        [](const std::string& line) { log::info(line); });
  std::int64_t count = 0;
  while (auto event = input.next()) {
    if (sender) sender->add(std::move(*event));
    ++count;
    progress.advance(1);
  }
  if (sender) sender->finish();
  return count;
}

int send_stream(Context& context) {
  const std::string& queue = context.args[0];
  std::int64_t every = context.settings.integer("commit-every");
  if (every < 0) throw UsageError("--commit-every: not a number of events: " + std::to_string(every));
  QueueDatabase db(context);
  auto input = open_input(context);
  pgq::Sender sender(db.connection(), queue, every);
  std::int64_t count = 0;
  try {
    count = send_all(context, *input, context.dry_run ? nullptr : &sender);
  } catch (const Error&) {
    std::int64_t sent = sender.committed();
    std::throw_with_nested(Error(sent ? "stopped after " + count_of(sent, "event") : "nothing was sent"));
  }
  if (context.dry_run) {
    print_steps(context, {{"send " + count_of(count, "event") + " to queue " + queue, sender.sql()}});
    return 0;
  }
  report(context, count_of(count, "event") + " sent to queue " + queue, {{"queue", queue}, {"events", count}});
  return 0;
}

void print_events(Context& context, const std::vector<pgq::PeekedEvent>& events) {
  if (!context.json) {
    ui::Table table({"Tick", "Event", "Time", "Retry", "Type", "Data", "Extra1"});
    for (auto& [e, tick] : events)
      table.add({tick, e.id, e.time, e.retry, e.type, short_text(e.data, kDataWidth), short_text(e.extra[0], 30)});
    if (!events.empty()) table.print(context.out);
    return;
  }
  ui::Table table({"id", "time", "txid", "retry", "type", "data", "extra1", "extra2", "extra3", "extra4", "queue",
                   "consumer", "tick"});
  for (auto& [e, tick] : events)
    table.add({e.id, e.time, e.txid, e.retry, e.type, e.data, e.extra[0], e.extra[1], e.extra[2], e.extra[3],
               context.args[0], context.args[1], tick});
  table.print_json(context.out);
}

}  // namespace

int queue_send(Context& context) {
  const config::Settings& s = context.settings;
  auto event = event_of_flags(s);
  bool stream = s.boolean("stdin");
  if (stream && event) throw UsageError("--stdin takes the events from the input: no --type, --data or --extra");
  if (!stream && (s.given("format") || s.given("commit-every")))
    throw UsageError("--format and --commit-every go with --stdin");
  if (!stream && !event) throw UsageError("what shall be sent? give --type and --data, or --stdin");
  return stream ? send_stream(context) : send_one(context, *event);
}

int queue_peek(Context& context) {
  const std::string &queue = context.args[0], &consumer = context.args[1];
  std::int64_t limit = context.settings.integer("limit");
  if (limit < 1) throw UsageError("--limit: at least 1");
  QueueDatabase db(context);
  pg::Transaction tx(db.connection(), pg::Mode::repeatable_read);
  pgq::QueueInfo info = pgq::queue_named(tx, queue);
  pgq::ConsumerInfo there = pgq::consumer_named(tx, queue, consumer);
  std::vector<pgq::PeekedEvent> events;
  pgq::peek(tx, info, there, limit, [&](const pgq::PeekedEvent& e) { events.push_back(e); });
  if (there.paused) log::info("consumer " + consumer + " is paused");
  if (there.batch)
    log::info("consumer " + consumer + " works on batch " + std::to_string(*there.batch) + " since " +
              ui::Cell(there.last_seen).text() + "; its events come first");
  if (!there.last_tick)
    log::info("consumer " + consumer + " is an idle member of a group: it gets what the group is given");
  print_events(context, events);
  if (events.empty())
    log::info("nothing waits for consumer " + consumer +
              (info.new_events.value_or(0) > 0
                   ? "; " + count_of(*info.new_events, "event") + " came after the newest tick"
                   : ""));
  return 0;
}

}  // namespace skytools::cmd
