#include <algorithm>
#include <ostream>

#include "cmd/queue_commands.h"
#include "core/base/error.h"
#include "core/log/log.h"
#include "core/pgq/dead.h"

namespace skytools::cmd {

namespace {

constexpr std::size_t kReasonWidth = 50, kDataWidth = 40;  ///< columns of a table

/// The ids behind QUEUE CONSUMER, each once. @throws UsageError
std::vector<std::int64_t> event_ids(const Context& context) {
  std::vector<std::int64_t> ids;
  for (std::size_t i = 2; i < context.args.size(); ++i) {
    try {
      ids.push_back(pg::parse<std::int64_t>(context.args[i]));
    } catch (const Error&) {
      throw UsageError("not an event id: '" + context.args[i] + "'");
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

/// QUEUE [CONSUMER], both looked up. @throws Error  unknown names
pgq::DeadChoice choice_of(const Context& context, QueueDatabase& db) {
  db.require_skytools();
  pg::Transaction tx(db.connection(), pg::Mode::autocommit);
  if (context.args.size() < 2) {
    pgq::queue_named(tx, context.args[0]);
    return {};
  }
  return {.consumer = pgq::consumer_named(tx, context.args[0], context.args[1]).name, .ids = {}, .limit = {}};
}

[[noreturn]] void missing(const Context& context, const pg::Connection& c, const pgq::DeadChoice& choice,
                          std::int64_t there) {
  throw Error("[" + c.label() + "] consumer " + context.args[1] + " of queue " + context.args[0] + " has " +
              (there ? "only " + std::to_string(there) : "none") + " of the " +
              count_of(static_cast<std::int64_t>(choice.ids.size()), "dead letter") +
              " named; 'skytools queue dead list' shows them");
}

void print_json(Context& context, const std::vector<pgq::DeadLetter>& letters) {
  ui::Table table({"queue", "consumer", "dead_time", "reason", "id", "time", "txid", "retry", "type", "data", "extra1",
                   "extra2", "extra3", "extra4"});
  for (auto& l : letters)
    table.add({l.queue, l.consumer, l.time, l.reason, l.event.id, l.event.time, l.event.txid, l.event.retry,
               l.event.type, l.event.data, l.event.extra[0], l.event.extra[1], l.event.extra[2], l.event.extra[3]});
  table.print_json(context.out);
}

void print_full(std::ostream& out, const pgq::DeadLetter& l) {
  const pgq::StoredEvent& e = l.event;
  std::vector<std::pair<std::string, std::optional<std::string>>> lines = {
      {"consumer", l.consumer}, {"dead since", l.time},
      {"reason", l.reason},     {"retries", std::to_string(e.retry.value_or(0))},
      {"time", e.time},         {"type", e.type},
      {"data", e.data},
  };
  for (std::size_t i = 0; i < e.extra.size(); ++i)
    if (e.extra[i]) lines.emplace_back("extra" + std::to_string(i + 1), e.extra[i]);
  out << "Event " << e.id << '\n';
  for (auto& [name, value] : lines)
    out << "  " << name << std::string(12 - name.size(), ' ') << value.value_or("-") << '\n';
}

int change_letters(Context& context, bool purge) {
  const std::string &queue = context.args[0], &consumer = context.args[1];
  auto ids = event_ids(context);
  QueueDatabase db(context);
  pgq::DeadChoice choice = choice_of(context, db);
  choice.ids = ids;
  pg::Transaction reader(db.connection(), pg::Mode::autocommit);
  std::int64_t there = pgq::count_dead_letters(reader, queue, choice);
  if (there < static_cast<std::int64_t>(ids.size())) missing(context, db.connection(), choice, there);
  std::string of = " of consumer " + consumer + " of queue " + queue;
  if (purge && there) context.confirm("delete " + count_of(there, "dead letter") + of);
  Change change(context, db.connection());
  std::int64_t count = 0;
  if (there)
    count = change
                .run(purge ? pgq::step::dead_purge(queue, consumer, pgq::array_of(ids))
                           : pgq::step::dead_replay(queue, consumer, pgq::array_of(ids)))
                .value_or(0);
  if (!change.commit()) return 0;
  std::string letters = count_of(count, "dead letter") + of;
  report(context,
         !count  ? "no dead letters" + of
         : purge ? letters + " deleted"
                 : letters + " given back; the ticker puts them into the queue again",
         {{"queue", queue}, {"consumer", consumer}, {"result", purge ? "purged" : "replayed"}, {"events", count}});
  return 0;
}

}  // namespace

int dead_list(Context& context) {
  std::int64_t limit = context.settings.integer("limit");
  if (limit < 1) throw UsageError("--limit: at least 1");
  QueueDatabase db(context);
  pgq::DeadChoice choice = choice_of(context, db);
  choice.limit = limit + 1;
  pg::Transaction tx(db.connection(), pg::Mode::autocommit);
  auto letters = pgq::dead_letters(tx, context.args[0], choice);
  bool more = static_cast<std::int64_t>(letters.size()) > limit;
  if (more) letters.pop_back();
  if (context.json) {
    print_json(context, letters);
  } else if (!letters.empty()) {
    ui::Table table({"Consumer", "Event", "Dead since", "Retries", "Reason", "Type", "Data"});
    for (auto& l : letters)
      table.add({l.consumer, l.event.id, l.time, l.event.retry.value_or(0), short_text(l.reason, kReasonWidth),
                 l.event.type, short_text(l.event.data, kDataWidth)});
    table.print(context.out);
  }
  if (letters.empty()) log::info("no dead letters");
  if (more) log::info("there are more; --limit shows them");
  return 0;
}

int dead_show(Context& context) {
  auto ids = event_ids(context);
  QueueDatabase db(context);
  pgq::DeadChoice choice = choice_of(context, db);
  choice.ids = ids;
  pg::Transaction tx(db.connection(), pg::Mode::autocommit);
  auto letters = pgq::dead_letters(tx, context.args[0], choice);
  if (letters.size() < ids.size()) missing(context, db.connection(), choice, static_cast<std::int64_t>(letters.size()));
  if (context.json) {
    print_json(context, letters);
    return 0;
  }
  if (letters.empty()) log::info("no dead letters");
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (i) context.out << '\n';
    print_full(context.out, letters[i]);
  }
  return 0;
}

int dead_replay(Context& context) { return change_letters(context, false); }
int dead_purge(Context& context) { return change_letters(context, true); }

}  // namespace skytools::cmd
