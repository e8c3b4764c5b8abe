#include <ostream>
#include <set>

#include "cmd/queue_commands.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/log/log.h"
#include "core/pgq/dead.h"

namespace skytools::cmd {

namespace {

constexpr std::size_t kReasonWidth = 50, kDataWidth = 40;  ///< columns of a table

/// The ids behind QUEUE CONSUMER. @throws UsageError
std::vector<std::int64_t> event_ids(const Context& context) {
  std::vector<std::int64_t> ids;
  for (std::size_t i = 2; i < context.args.size(); ++i) {
    try {
      ids.push_back(pg::parse<std::int64_t>(context.args[i]));
    } catch (const UsageError&) {
      throw;
    } catch (const Error&) {
      throw UsageError("not an event id: '" + context.args[i] + "'");
    }
  }
  return ids;
}

/// As a bigint[] literal; nullopt for none, which means all.
std::optional<std::string> array_of(const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return std::nullopt;
  std::vector<std::string> parts;
  for (auto id : ids) parts.push_back(std::to_string(id));
  return "{" + join(parts, ",") + "}";
}

std::vector<pgq::DeadLetter> read_letters(Context& context, QueueDatabase& db,
                                          const std::optional<std::int64_t>& limit) {
  db.require_skytools();
  pg::Transaction tx(db.connection(), pg::Mode::autocommit);
  const std::string& queue = context.args[0];
  std::optional<std::string> consumer;
  if (context.args.size() > 1)
    consumer = pgq::consumer_named(tx, queue, context.args[1]).name;
  else
    pgq::queue_named(tx, queue);
  return pgq::dead_letters(tx, queue, consumer, limit);
}

std::optional<std::string> data_of(const pgq::Event& e) { return e.data_null ? std::nullopt : std::optional(e.data); }

void print_json(Context& context, const std::vector<pgq::DeadLetter>& letters) {
  ui::Table table({"queue", "consumer", "dead_time", "reason", "id", "time", "txid", "retry", "type", "data", "extra1",
                   "extra2", "extra3", "extra4"});
  for (auto& l : letters)
    table.add({l.queue, l.consumer, l.time, l.reason, l.event.id, l.event.time, l.event.txid, l.event.retry,
               l.event.type, data_of(l.event), l.event.extra[0], l.event.extra[1], l.event.extra[2], l.event.extra[3]});
  table.print_json(context.out);
}

void print_full(std::ostream& out, const pgq::DeadLetter& l) {
  const pgq::Event& e = l.event;
  std::vector<std::pair<std::string, std::optional<std::string>>> lines = {
      {"consumer", l.consumer}, {"dead since", l.time},
      {"reason", l.reason},     {"retries", std::to_string(e.retry.value_or(0))},
      {"time", e.time},         {"type", e.type},
      {"data", data_of(e)},
  };
  for (std::size_t i = 0; i < e.extra.size(); ++i)
    if (e.extra[i]) lines.emplace_back("extra" + std::to_string(i + 1), e.extra[i]);
  out << "Event " << e.id << '\n';
  for (auto& [name, value] : lines)
    out << "  " << name << std::string(12 - name.size(), ' ') << value.value_or("-") << '\n';
}

/// Replay and purge: `done` is "given back" or "deleted".
int change_letters(Context& context, bool purge) {
  const std::string &queue = context.args[0], &consumer = context.args[1];
  auto ids = event_ids(context);
  QueueDatabase db(context);
  std::set<std::int64_t> wanted(ids.begin(), ids.end());
  std::int64_t there = 0;
  for (auto& letter : read_letters(context, db, std::nullopt))
    if (wanted.empty() || wanted.erase(letter.event.id)) ++there;
  if (!ids.empty() && !wanted.empty())
    throw Error("[" + db.connection().label() + "] consumer " + consumer + " of queue " + queue +
                " has no dead letter " + std::to_string(*wanted.begin()));
  std::string of = " of consumer " + consumer + " of queue " + queue;
  if (purge && there) context.confirm("delete " + count_of(there, "dead letter") + of);
  Change change(context, db.connection());
  std::int64_t count = 0;
  if (there)
    count = change
                .run(purge ? pgq::step::dead_purge(queue, consumer, array_of(ids))
                           : pgq::step::dead_replay(queue, consumer, array_of(ids)))
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
  auto letters = read_letters(context, db, limit + 1);
  bool more = static_cast<std::int64_t>(letters.size()) > limit;
  if (more) letters.pop_back();
  if (context.json) {
    print_json(context, letters);
  } else if (!letters.empty()) {
    ui::Table table({"Consumer", "Event", "Dead since", "Retries", "Reason", "Type", "Data"});
    for (auto& l : letters)
      table.add({l.consumer, l.event.id, l.time, l.event.retry.value_or(0), short_text(l.reason, kReasonWidth),
                 l.event.type, short_text(data_of(l.event), kDataWidth)});
    table.print(context.out);
  }
  if (letters.empty()) log::info("no dead letters");
  if (more) log::info("there are more; --limit shows them");
  return 0;
}

int dead_show(Context& context) {
  auto ids = event_ids(context);
  QueueDatabase db(context);
  std::set<std::int64_t> wanted(ids.begin(), ids.end());
  std::vector<pgq::DeadLetter> letters;
  for (auto& letter : read_letters(context, db, std::nullopt))
    if (ids.empty() || wanted.erase(letter.event.id)) letters.push_back(letter);
  if (!wanted.empty())
    throw Error("[" + db.connection().label() + "] consumer " + context.args[1] + " of queue " + context.args[0] +
                " has no dead letter " + std::to_string(*wanted.begin()));
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
