#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <ostream>

#include "cmd/queue_commands.h"
#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/log/log.h"
#include "core/ui/terminal.h"

namespace skytools::cmd {

namespace {

using pgq::ConsumerInfo;
using pgq::QueueInfo;

/// What listings tell of a queue.
struct Queue {
  QueueInfo info;
  pgq::Rates rates;
  std::vector<ConsumerInfo> consumers;
};

std::vector<Queue> read_queues(pg::Transaction& tx, const std::optional<std::string>& name) {
  std::vector<Queue> out;
  for (auto& info : name ? std::vector{pgq::queue_named(tx, *name)} : pgq::queues(tx)) out.push_back({info, {}, {}});
  auto at = [&](const std::string& queue) {
    return std::find_if(out.begin(), out.end(), [&](const Queue& q) { return q.info.name == queue; });
  };
  for (auto& r : pgq::rates(tx, name))
    if (auto q = at(r.queue); q != out.end()) q->rates = r;
  for (auto& c : pgq::consumers(tx, name))
    if (auto q = at(c.queue); q != out.end()) q->consumers.push_back(c);
  return out;
}

std::string state_of(const QueueInfo& q) { return q.paused ? "paused" : q.external ? "branch" : "active"; }

std::string ago(const std::optional<milliseconds>& d) { return d ? format_duration(*d) + " ago" : "never"; }

std::string batch_text(const ConsumerInfo& c) {
  return c.batch ? std::to_string(*c.batch) + (c.next_tick ? " (to tick " + std::to_string(*c.next_tick) + ")" : "")
                 : "-";
}

ui::Table json_consumers(const std::vector<ConsumerInfo>& consumers) {
  ui::Table table(
      {"queue", "consumer", "lag", "last_seen", "last_tick", "batch", "next_tick", "pending_events", "paused"});
  for (auto& c : consumers)
    table.add({c.queue, c.name, c.lag, c.last_seen, c.last_tick, c.batch, c.next_tick, c.pending, c.paused});
  return table;
}

Members policy_members(pg::Transaction& tx, const QueueInfo& queue) {
  auto p = pgq::policy(tx, queue);
  if (!p) return {};
  return {{"retry_limit", p->retry_limit},
          {"retry_delay", p->retry_delay},
          {"retry_backoff", p->retry_backoff},
          {"retry_delay_max", p->retry_delay_max}};
}

Members json_members(pg::Transaction& tx, const Queue& q) {
  const QueueInfo& i = q.info;
  ui::Table sizes({"table", "bytes"});
  std::int64_t bytes = 0;
  for (auto& t : pgq::table_sizes(tx, i)) {
    sizes.add({t.name, t.bytes});
    bytes += t.bytes;
  }
  Members m{{"queue", i.name},
            {"id", i.id},
            {"state", state_of(i)},
            {"events_per_second", rate_cell(q.rates.minute)},
            {"events_last_minute", q.rates.minute.events},
            {"events_last_hour", q.rates.hour.events},
            {"new_events", i.new_events},
            {"last_tick", i.last_tick},
            {"ticker_lag", i.ticker_lag},
            {"tables", i.tables},
            {"current_table", i.data_prefix + "_" + std::to_string(i.current_table)},
            {"rotated_ago", i.rotated_ago},
            {"bytes", bytes},
            {"table_sizes", sizes.json()},
            {"ticker_max_count", i.max_count},
            {"ticker_max_lag", i.max_lag},
            {"ticker_idle_period", i.idle_period},
            {"ticker_paused", i.paused},
            {"rotation_period", i.rotation_period},
            {"external_ticker", i.external}};
  for (auto& [parameter, value] : policy_members(tx, i)) m.emplace_back(parameter, value);
  m.emplace_back("consumers", json_consumers(q.consumers).json());
  return m;
}

void print_page(Context& context, pg::Transaction& tx, const std::vector<Queue>& queues) {
  auto [server, version] = pgq::versions(tx);
  context.out << "PostgreSQL " << server << "   PgQ " << version.value_or("?") << "\n\n";
  ui::Table table({"Queue", "Tables/Rotation", "Ticker", "TLag", "EPS", "New"});
  for (auto& q : queues) {
    const QueueInfo& i = q.info;
    std::string ticker = i.paused     ? "paused"
                         : i.external ? "provider"
                                      : std::to_string(i.max_count) + "/" + format_duration(i.max_lag) + "/" +
                                            format_duration(i.idle_period);
    table.add({i.name, std::to_string(i.tables) + "/" + format_duration(i.rotation_period), ticker, i.ticker_lag,
               rate_cell(q.rates.minute), i.new_events});
  }
  table.print(context.out);
  ui::Table consumers({"Consumer", "Lag", "LastSeen", "Pending", "Batch", "State"});
  for (auto& q : queues) {
    if (q.consumers.empty()) continue;
    consumers.add({q.info.name + ":", "", "", "", "", ""});
    for (auto& c : q.consumers)
      consumers.add({"  " + c.name, c.lag, c.last_seen, c.pending, batch_text(c), consumer_state(c)});
  }
  context.out << '\n';
  consumers.empty() ? void(context.out << "no consumers\n") : consumers.print(context.out);
}

std::string rate_text(const pgq::Inflow& inflow) {
  return rate_cell(inflow).text() + "/s over the last " + format_duration(inflow.span);
}

void print_details(Context& context, pg::Transaction& tx, const Queue& q) {
  const QueueInfo& i = q.info;
  std::vector<std::string> sizes;
  for (auto& t : pgq::table_sizes(tx, i)) sizes.push_back(t.name + " " + format_size(t.bytes));
  std::vector<std::pair<std::string, std::string>> lines = {
      {"state", state_of(i)},
      {"events", rate_text(q.rates.minute) + ", " + rate_text(q.rates.hour)},
      {"newest tick", i.last_tick ? std::to_string(*i.last_tick) + ", " + ago(i.ticker_lag) + "; " +
                                        count_of(i.new_events.value_or(0), "event") + " since"
                                  : "none: run skytools ticker"},
      {"tables", join(sizes, ", ")},
      {"", "writing to " + i.data_prefix + "_" + std::to_string(i.current_table) + ", switched " + ago(i.rotated_ago)},
      {"ticker_max_count", std::to_string(i.max_count)},
      {"ticker_max_lag", format_duration(i.max_lag)},
      {"ticker_idle_period", format_duration(i.idle_period)},
      {"ticker_paused", i.paused ? "yes" : "no"},
      {"rotation_period", format_duration(i.rotation_period)},
      {"external_ticker", i.external ? "yes" : "no"}};
  for (auto& [parameter, value] : policy_members(tx, i)) {
    std::string without = parameter == "retry_limit" ? "none" : "default";
    lines.emplace_back(parameter, value.empty() ? without : value.text());
  }
  context.out << "Queue " << i.name << '\n';
  for (auto& [name, value] : lines) context.out << "  " << name << std::string(20 - name.size(), ' ') << value << '\n';
  context.out << '\n';
  if (q.consumers.empty()) {
    context.out << "no consumers\n";
    return;
  }
  ui::Table table({"Consumer", "Lag", "LastSeen", "Pending", "Last tick", "Batch", "State"});
  for (auto& c : q.consumers)
    table.add({c.name, c.lag, c.last_seen, c.pending, c.last_tick, batch_text(c), consumer_state(c)});
  table.print(context.out);
}

/// Looks again and again; a stop ends it well.
int watch(Context& context, milliseconds pause, const std::function<void()>& look) {
  for (;;) {
    look();
    context.out.flush();
    if (!context.out || !context.stop.wait(pause)) return 0;
  }
}

void print_stats(Context& context, const std::vector<pgq::Rates>& rates,
                 const std::map<std::string, pgq::Inflow>* now) {
  std::vector<ui::Column> columns = {"Queue",
                                     {"Events/s (1m)", "events_per_second"},
                                     {"Events/s (1h)", "events_per_second_hour"},
                                     {"Events (1m)", "events_last_minute"},
                                     {"Events (1h)", "events_last_hour"},
                                     {"New", "new_events"},
                                     {"Tick", "last_tick"},
                                     {"Tick age", "ticker_lag"}};
  if (now) columns.insert(columns.begin() + 1, ui::Column("Events/s (now)", "events_per_second_now"));
  if (context.json) columns.insert(columns.begin(), "time");
  ui::Table table(columns);
  for (auto& r : rates) {
    ui::Row row = {r.queue,       rate_cell(r.minute), rate_cell(r.hour), r.minute.events,
                   r.hour.events, r.new_events,        r.last_tick,       r.ticker_lag};
    if (now) {
      auto found = now->find(r.queue);
      row.insert(row.begin() + 1, found == now->end() ? ui::Cell() : rate_cell(found->second));
    }
    if (context.json) row.insert(row.begin(), r.time);
    table.add(row);
  }
  now&& context.json ? table.print_lines(context.out) : context.print(table);
}

}  // namespace

int queue_list(Context& context) {
  QueueDatabase db(context);
  pg::Transaction tx(db.connection(), pg::Mode::autocommit);
  ui::Table table({"Queue",
                   "State",
                   {"Events/s", "events_per_second"},
                   {"New", "new_events"},
                   {"Tick age", "ticker_lag"},
                   "Consumers",
                   "Lag",
                   {"Pending", "pending_events"},
                   {"Slowest", "slowest_consumer"}});
  for (auto& q : read_queues(tx, wanted_queue(context))) {
    auto slowest = std::max_element(q.consumers.begin(), q.consumers.end(), [](auto& a, auto& b) {
      return a.lag.value_or(milliseconds(-1)) < b.lag.value_or(milliseconds(-1));
    });
    bool none = slowest == q.consumers.end();
    table.add({q.info.name, state_of(q.info), rate_cell(q.rates.minute), q.info.new_events, q.info.ticker_lag,
               q.consumers.size(), none ? ui::Cell() : slowest->lag, none ? ui::Cell() : slowest->pending,
               none ? ui::Cell() : slowest->name});
  }
  if (table.empty() && !context.json)
    log::info("no queues; 'skytools queue create NAME' makes one");
  else
    context.print(table);
  return 0;
}

int queue_show(Context& context) {
  QueueDatabase db(context);
  pg::Transaction tx(db.connection(), pg::Mode::autocommit);
  auto name = wanted_queue(context);
  auto queues = read_queues(tx, name);
  if (context.json) {
    for (std::size_t i = 0; i < queues.size(); ++i)
      context.out << (i ? ",\n " : "[") << ui::json_object(json_members(tx, queues[i]));
    context.out << (queues.empty() ? "[]\n" : "]\n");
  } else {
    name ? print_details(context, tx, queues.at(0)) : print_page(context, tx, queues);
  }
  return 0;
}

int queue_stats(Context& context) {
  QueueDatabase db(context);
  auto name = wanted_queue(context);
  pg::Transaction tx(db.connection(), pg::Mode::autocommit);
  if (name) pgq::queue_named(tx, *name);
  if (!context.settings.has("watch")) {
    print_stats(context, pgq::rates(tx, name), nullptr);
    return 0;
  }
  milliseconds pause = context.settings.duration("watch");
  if (pause < milliseconds(100)) throw UsageError("--watch: at least 100ms");
  std::map<std::string, pgq::Rates> before;
  bool redraw = ui::is_terminal(STDOUT_FILENO) && !context.json, first = true;
  return watch(context, pause, [&] {
    auto rates = pgq::rates(tx, name);
    std::map<std::string, pgq::Inflow> now;
    for (auto& r : rates) {
      if (auto b = before.find(r.queue); b != before.end()) now[r.queue] = pgq::between(b->second, r);
      before.insert_or_assign(r.queue, r);
    }
    if (redraw)
      context.out << "\x1b[H\x1b[2J" << (rates.empty() ? "" : rates[0].time) << ", every " << format_duration(pause)
                  << "; Ctrl-C ends\n\n";
    else if (!first && !context.json)
      context.out << '\n';
    first = false;
    print_stats(context, rates, &now);
  });
}

}  // namespace skytools::cmd
