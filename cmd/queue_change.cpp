#include <algorithm>

#include "cmd/queue_commands.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/log/log.h"
#include "core/pgq/parameters.h"
#include "core/pgq/tick_now.h"

namespace skytools::cmd {

namespace {

constexpr milliseconds kTickLimit = std::chrono::seconds(30);  ///< without --timeout
constexpr const char* kRetryLimit = "retry_limit=5";           ///< of new queues

bool any_policy(const std::vector<pgq::Assignment>& assignments) {
  return std::any_of(assignments.begin(), assignments.end(), [](auto& a) { return a.parameter->policy; });
}

/// What a new queue gets: a poison event must not be retried for ever. Without schema skytools there are no limits.
void add_default_policy(QueueDatabase& db, const std::string& queue, std::vector<pgq::Assignment>& assignments) {
  pgq::Assignment limit = pgq::parse_assignment(kRetryLimit);
  for (auto& a : assignments)
    if (a.parameter == limit.parameter) return;
  pg::Transaction tx(db.connection(), pg::Mode::autocommit);
  if (pgq::has_function(tx, "skytools.set_queue_policy(text,text,text)"))
    assignments.push_back(limit);
  else
    log::warning("queue " + queue +
                 " has no retry limit, for schema skytools is missing; run: skytools install --db \"" +
                 db.connection().address() + "\"");
}

ui::Cell cell_of(const pgq::Assignment& a) {
  using Kind = pgq::Parameter::Kind;
  if (!a.value) return {};
  switch (a.parameter->kind) {
    case Kind::duration:
      return a.duration;
    case Kind::boolean:
      return *a.value == "true";
    case Kind::factor:
      return std::stod(*a.value);
    default:
      return pg::parse<std::int64_t>(*a.value);
  }
}

ui::Json as_json(const std::vector<pgq::Assignment>& assignments) {
  Members members;
  for (auto& a : assignments) members.emplace_back(a.parameter->name, cell_of(a));
  return {ui::json_object(members)};
}

std::string as_text(const std::vector<pgq::Assignment>& assignments) {
  std::vector<std::string> parts;
  for (auto& a : assignments)
    parts.push_back(std::string(a.parameter->name) + " = " + (a.value ? cell_of(a).text() : "none"));
  return join(parts, ", ");
}

int pause_or_resume(Context& context, bool pause) {
  const std::string& queue = context.args[0];
  std::optional<std::string> consumer;
  if (context.settings.has("consumer")) consumer = context.settings.text("consumer");
  QueueDatabase db(context);
  if (consumer) db.require_skytools();

  Change change(context, db.connection());
  bool paused = consumer ? pgq::consumer_named(change.tx(), queue, *consumer).paused
                         : pgq::queue_named(change.tx(), queue).paused;
  if (paused != pause)
    change.run(consumer ? pgq::step::pause_consumer(queue, *consumer, pause)
                        : pgq::step::set_queue_config(queue, "ticker_paused", pause ? "true" : "false"));
  if (!change.commit()) return 0;

  std::string who = (consumer ? "consumer " + *consumer + " of " : "") + "queue " + queue, what, result;
  if (paused == pause) {
    result = pause ? "already paused" : "already running";
    what = pause ? " was paused already" : " was running already";
  } else {
    result = pause ? "paused" : "resumed";
    what = consumer ? pause ? " is paused: it gets no batches" : " gets batches again"
           : pause  ? " is paused: no ticks are made"
                    : " ticks again";
  }
  Members members = {{"queue", queue}, {"paused", pause}, {"result", result}};
  if (consumer) members.insert(members.begin() + 1, std::pair("consumer", ui::Cell(*consumer)));
  report(context, who + what, members);
  return 0;
}

}  // namespace

int queue_create(Context& context) {
  const std::string& queue = context.args[0];
  if (queue.empty()) throw UsageError("the queue needs a name");
  auto assignments = pgq::parse_assignments(context.settings.list("set"));
  QueueDatabase db(context);
  if (any_policy(assignments)) db.require_skytools();
  {
    pg::Transaction tx(db.connection(), pg::Mode::autocommit);
    if (pgq::queues(tx, queue).empty()) add_default_policy(db, queue, assignments);
  }
  Change change(context, db.connection());
  bool is_new = change.run(pgq::step::create_queue(queue)) == 1;
  for (auto& a : assignments) change.run(a.step(queue));
  if (!change.commit()) return 0;
  report(context,
         "queue " + queue + (is_new ? " created" : " is there already") +
             (assignments.empty() ? "" : "; " + as_text(assignments)),
         {{"queue", queue}, {"result", is_new ? "created" : "already there"}, {"set", as_json(assignments)}});
  return 0;
}

int queue_drop(Context& context) {
  const std::string& queue = context.args[0];
  bool force = context.settings.boolean("force");
  QueueDatabase db(context);
  std::vector<std::string> names, told;
  {
    pg::Transaction tx(db.connection(), pg::Mode::autocommit);
    pgq::queue_named(tx, queue);
    pgq::refuse_cascade(tx, queue);
    for (auto& c : pgq::consumers(tx, queue)) {
      names.push_back(c.name);
      told.push_back(c.name + " (" + count_of(c.pending.value_or(0), "event") + " pending)");
    }
  }
  std::string with = names.empty() ? ""
                                   : " with " + count_of(static_cast<std::int64_t>(names.size()), "consumer") + ": " +
                                         join(told, ", ");
  if (!names.empty() && !force)
    throw Refused("[" + db.connection().label() + "] queue " + queue + " is in use" + with +
                  "; --force unregisters them and drops it");
  context.confirm("drop queue " + queue + with);
  Change change(context, db.connection());
  // Whoever registers meanwhile was not asked about.
  change.run(pgq::step::drop_queue(queue, !names.empty()));
  if (!change.commit()) return 0;
  report(context, "queue " + queue + " dropped" + with,
         {{"queue", queue}, {"result", "dropped"}, {"consumers", names}});
  return 0;
}

int queue_set(Context& context) {
  const std::string& queue = context.args[0];
  auto assignments = pgq::parse_assignments({context.args.begin() + 1, context.args.end()});
  QueueDatabase db(context);
  if (any_policy(assignments)) db.require_skytools();
  Change change(context, db.connection());
  pgq::queue_named(change.tx(), queue);
  for (auto& a : assignments) change.run(a.step(queue));
  if (!change.commit()) return 0;
  report(context, "queue " + queue + ": " + as_text(assignments), {{"queue", queue}, {"set", as_json(assignments)}});
  return 0;
}

int queue_pause(Context& context) { return pause_or_resume(context, true); }
int queue_resume(Context& context) { return pause_or_resume(context, false); }

int queue_tick(Context& context) {
  const std::string& queue = context.args[0];
  QueueDatabase db(context);
  pgq::Ticker ticker;
  {
    pg::Transaction tx(db.connection(), pg::Mode::autocommit);
    pgq::QueueInfo info = pgq::queue_named(tx, queue);
    pgq::require_tickable(db.connection(), info);
    ticker = pgq::ticker_of(tx);
    if (context.dry_run) {
      print_steps(context, pgq::tick_steps(info, ticker));
      return 0;
    }
  }
  Deadline deadline = context.settings.has("timeout") ? context.deadline() : Deadline(kTickLimit);
  std::int64_t tick = pgq::tick_now(db.connection(), queue, deadline);
  if (ticker.ourselves && !ticker.serving)
    log::warning("no ticker serves this database; start one with: skytools ticker --db \"" + db.connection().address() +
                 "\"");
  report(context, "queue " + queue + " has tick " + std::to_string(tick), {{"queue", queue}, {"tick", tick}});
  return 0;
}

}  // namespace skytools::cmd
