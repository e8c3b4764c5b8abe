#include "cmd/queue_commands.h"
#include "core/base/error.h"
#include "core/log/log.h"
#include "core/pgq/position.h"

namespace skytools::cmd {

namespace {

using pgq::ConsumerInfo;
using pgq::Position;
using pgq::QueueInfo;

constexpr const char* kPlaces[] = {"at", "like", "at-time"};

/// Where --at, --like or --at-time say that a new consumer begins; nullopt: at the newest tick.
std::optional<Position> wanted_position(const Context& context, pg::Transaction& tx, const QueueInfo& queue) {
  const config::Settings& s = context.settings;
  if (s.has("at")) return pgq::position_of_tick(tx, queue, s.integer("at"));
  if (s.has("at-time")) return pgq::position_at_time(tx, queue, s.text("at-time"));
  if (!s.has("like")) return std::nullopt;
  ConsumerInfo other = pgq::consumer_named(tx, queue.name, s.text("like"));
  if (!other.last_tick)
    throw Error("[" + tx.connection().label() + "] consumer " + other.name +
                " has no position of its own: it is an idle member of a group");
  return pgq::position_of_tick(tx, queue, *other.last_tick);
}

void check_places(const Context& context) {
  std::string first;
  for (auto* place : kPlaces) {
    if (!context.settings.has(place)) continue;
    if (!first.empty()) throw UsageError("--" + first + " and --" + place + " exclude each other");
    first = place;
  }
}

/// Being registered elsewhere is not what was asked for, and moving a consumer is more than registering one.
void refuse_other_place(const pg::Connection& c, const ConsumerInfo& there, const std::optional<Position>& wanted) {
  if (!wanted || there.last_tick == wanted->tick) return;
  std::string tick = std::to_string(wanted->tick);
  throw Refused("[" + c.label() + "] consumer " + there.name + " of queue " + there.queue +
                " is registered already, at tick " + (there.last_tick ? std::to_string(*there.last_tick) : "-") +
                "; 'skytools queue seek " + there.queue + " " + there.name + " " + tick + "' moves it");
}

/// "about 20 events come again", by the event sequence.
std::string move_text(std::int64_t events, bool back) {
  std::int64_t n = events < 0 ? -events : events;
  if (n == 0) return "no events in between";
  return "about " + count_of(n, "event") +
         (back ? (n == 1 ? " comes again" : " come again") : (n == 1 ? " is skipped" : " are skipped"));
}

}  // namespace

int queue_register(Context& context) {
  const std::string &queue = context.args[0], &consumer = context.args[1];
  if (consumer.empty()) throw UsageError("the consumer needs a name");
  if (consumer.starts_with('.')) throw UsageError("names that begin with a dot are those of the cascade's consumers");
  check_places(context);
  QueueDatabase db(context);
  Change change(context, db.connection());
  QueueInfo info = pgq::queue_named(change.tx(), queue);
  auto wanted = wanted_position(context, change.tx(), info);
  auto there = pgq::find_consumer(change.tx(), queue, consumer);
  if (there) refuse_other_place(db.connection(), *there, wanted);
  bool is_new = !there && change.run(pgq::step::register_consumer(queue, consumer)).value_or(1) == 1;
  // Registered by somebody else just now: it stays where it is.
  if (is_new && wanted) change.run(pgq::step::register_consumer_at(queue, consumer, wanted->tick));
  auto now = context.dry_run ? there : pgq::find_consumer(change.tx(), queue, consumer);
  if (!change.commit()) return 0;
  if (!is_new && now) refuse_other_place(db.connection(), *now, wanted);
  std::optional<std::int64_t> tick = now ? now->last_tick : std::nullopt;
  report(context,
         "consumer " + consumer + " of queue " + queue + (is_new ? " registered" : " is registered already") +
             (tick ? ", at tick " + std::to_string(*tick) : ""),
         {{"queue", queue},
          {"consumer", consumer},
          {"result", is_new ? "registered" : "already registered"},
          {"tick", tick}});
  return 0;
}

int queue_unregister(Context& context) {
  const std::string &queue = context.args[0], &consumer = context.args[1];
  QueueDatabase db(context);
  Change change(context, db.connection());
  pgq::queue_named(change.tx(), queue);
  auto there = pgq::find_consumer(change.tx(), queue, consumer);
  pgq::refuse_cascade(change.tx(), queue, consumer);
  std::int64_t ended = there ? change.run(pgq::step::unregister_consumer(queue, consumer)).value_or(0) : 0;
  if (!change.commit()) return 0;
  std::string who = "consumer " + consumer + " of queue " + queue;
  std::string members = ended > 1 ? " with " + count_of(ended - 1, "member") + " of its group" : "";
  report(context, who + (ended ? " unregistered" + members : " was not registered"),
         {{"queue", queue}, {"consumer", consumer}, {"result", ended ? "unregistered" : "not registered"}});
  return 0;
}

int queue_seek(Context& context) {
  const std::string &queue = context.args[0], &consumer = context.args[1], &where = context.args[2];
  QueueDatabase db(context);
  db.require_skytools();
  std::optional<Position> from, to;
  {
    pg::Transaction tx(db.connection(), pg::Mode::autocommit);
    QueueInfo info = pgq::queue_named(tx, queue);
    ConsumerInfo there = pgq::consumer_named(tx, queue, consumer);
    pgq::refuse_cascade(tx, queue, consumer);
    to = pgq::find_position(tx, info, where);
    if (there.batch)
      throw Refused("[" + db.connection().label() + "] consumer " + consumer + " of queue " + queue +
                    " works on batch " + std::to_string(*there.batch) +
                    "; stop it, or wait until it has finished the batch");
    if (!there.last_tick)
      throw Error("[" + db.connection().label() + "] consumer " + consumer +
                  " is a member of a group: move the group's main consumer");
    from = pgq::position_of_tick(tx, info, *there.last_tick);
  }
  std::int64_t events = to->sequence - from->sequence;
  bool back = to->tick < from->tick, same = to->tick == from->tick;
  std::string move = "from tick " + std::to_string(from->tick) + " to " + std::to_string(to->tick) + " (" + to->time +
                     "): " + move_text(events, back);
  if (!same) context.confirm("move consumer " + consumer + " of queue " + queue + " " + move);
  Change change(context, db.connection());
  if (!same) change.run(pgq::step::seek(queue, consumer, to->tick));
  if (!change.commit()) {
    if (!same) log::info("would move consumer " + consumer + " " + move);
    return 0;
  }
  report(context,
         "consumer " + consumer + " of queue " + queue +
             (same ? " stands at tick " + std::to_string(to->tick) + " already" : " moved " + move),
         {{"queue", queue},
          {"consumer", consumer},
          {"result", same ? "already there" : "moved"},
          {"from_tick", from->tick},
          {"tick", to->tick},
          {"time", to->time},
          {"events_repeated", back ? -events : 0},
          {"events_skipped", back ? 0 : events}});
  return 0;
}

}  // namespace skytools::cmd
