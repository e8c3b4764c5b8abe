#include <doctest/doctest.h>

#include <utility>

#include "core/base/backoff.h"
#include "core/base/error.h"
#include "core/ticker/api.h"
#include "core/ticker/options.h"
#include "core/ticker/schedule.h"

using namespace skytools;
using namespace skytools::ticker;
using namespace std::chrono_literals;

namespace {

/// A queue with the server's defaults, whose newest ticks are that old.
QueueFacts queue(std::optional<milliseconds> second_newest, milliseconds newest, std::int64_t new_events) {
  QueueFacts q;
  q.tick = 2;
  q.tick_event_seq = 100;
  q.seq = 100 + new_events;
  q.max_count = 500;
  q.max_lag = 3s;
  q.idle_period = 1min;
  q.age = newest;
  if (second_newest) q.gap = *second_newest - newest;
  return q;
}

std::vector<const QueueFacts*> pointers(const std::vector<QueueFacts>& queues) {
  std::vector<const QueueFacts*> out;
  for (auto& q : queues) out.push_back(&q);
  return out;
}

config::Settings merged(const config::Layer& flags) { return config::Settings({kTickerOptions}, {flags}); }
config::Value flag(const std::string& text) { return {{text}, "flag"}; }

}  // namespace

TEST_CASE("a tick is due as the server's own rules say") {
  struct Sample {
    std::optional<milliseconds> second_newest;
    milliseconds newest;
    std::int64_t new_events;
    bool due;
  };
  const Sample samples[] = {
      {10s, 2s, 1, false},     {10s, 3100ms, 1, true}, {10s, 0s, 499, false},       {10s, 0s, 500, true},
      {10s, 1400ms, 0, false}, {5s, 1600ms, 0, false}, {2s, 1600ms, 0, true},       {14s, 10s, 0, true},
      {100s, 59s, 0, false},   {100s, 61s, 0, true},   {std::nullopt, 0s, 0, true}, {std::nullopt, 0s, 1, false},
  };
  for (auto& s : samples) {
    INFO("newest " << s.newest.count() << " ms, new " << s.new_events);
    CHECK(decide(queue(s.second_newest, s.newest, s.new_events), std::nullopt).due == s.due);
  }
}

TEST_CASE("a queue without a tick, or without its sequence, is due") {
  QueueFacts q = queue(10s, 0s, 0);
  q.tick.reset();
  CHECK(decide(q, 50ms).due);
  q = queue(10s, 0s, 0);
  q.seq.reset();
  CHECK(decide(q, 50ms).due);
}

TEST_CASE("the wanted lag hastens queues with the default lag only") {
  QueueFacts q = queue(10s, 60ms, 1);
  CHECK(lag_limit(q, 50ms) == 50ms);
  CHECK(lag_limit(q, 10s) == 3s);
  CHECK(lag_limit(q, std::nullopt) == 3s);
  CHECK(decide(q, 50ms).due);
  CHECK_FALSE(decide(q, std::nullopt).due);
  for (milliseconds chosen : {milliseconds(2s), milliseconds(1min)}) {
    q.max_lag = chosen;
    CHECK(lag_limit(q, 50ms) == chosen);
    CHECK_FALSE(decide(q, 50ms).due);
  }
}

TEST_CASE("the wait is until the tick becomes due") {
  CHECK(decide(queue(10s, 20ms, 1), 50ms).wait == 30ms);
  CHECK(decide(queue(10s, 2s, 0), std::nullopt).wait == 14s);   // twice the gap of 8 s
  CHECK(decide(queue(200s, 2s, 0), std::nullopt).wait == 58s);  // the idle period is shorter
  CHECK(decide(queue(1s, 900ms, 0), 50ms).wait == 600ms);       // half the queue's own lag
  CHECK(decide(queue(10s, 5s, 1), 50ms).wait == 0ms);
}

TEST_CASE("idle ticks come together, none later than its time") {
  // 100 queues at rest, their ticks spread over the minute
  std::vector<QueueFacts> queues;
  for (int i = 0; i < 100; ++i) {
    queues.push_back(queue(2min, i * 600ms, 0));
    queues.back().name = "q" + std::to_string(i);
  }
  constexpr milliseconds kStep = 100ms;
  std::vector<int> rounds(5);  // by minute
  int ticks = 0;
  milliseconds oldest{0};
  for (milliseconds now{0}; now < 5min; now += kStep) {
    auto together = idle_round(pointers(queues));
    rounds[static_cast<std::size_t>(now / 1min)] += !together.empty();
    ticks += static_cast<int>(together.size());
    for (const QueueFacts* q : together) {
      auto& ticked = queues[static_cast<std::size_t>(q - queues.data())];
      ticked.gap = std::exchange(ticked.age, 0ms);
    }
    for (auto& q : queues) oldest = std::max(oldest, q.age += kStep);
  }
  CHECK(rounds[0] <= 3);
  for (int n : rounds) CHECK(n <= 3);
  CHECK(rounds[4] <= 2);
  CHECK(oldest <= 1min + kStep);
  CHECK(ticks <= 600);  // one a minute for each, and those that came early to be together
}

TEST_CASE("who comes along in an idle round") {
  auto named = [](QueueFacts q, const char* name) {
    q.name = name;
    return q;
  };
  std::vector<QueueFacts> queues = {named(queue(200s, 40s, 0), "two thirds"), named(queue(200s, 39s, 0), "too young"),
                                    named(queue(200s, 50s, 1), "has events"),
                                    named(queue(2500ms, 1490ms, 0), "below the least age"),
                                    named(queue(15s, 7s, 0), "still slowing down")};
  CHECK(idle_round(pointers(queues)).empty());  // none is due
  queues.push_back(named(queue(200s, 60s, 0), "due"));
  queues.push_back(named(queue(std::nullopt, 0s, 0), "new"));
  queues.push_back(named(queue(200s, 61s, 1), "busy"));
  queues.push_back(named(queue(200s, 61s, 0), "lost its sequence"));
  queues.back().seq.reset();
  std::vector<std::string> names;
  for (const QueueFacts* q : idle_round(pointers(queues))) names.push_back(q->name);
  CHECK(names == std::vector<std::string>{"two thirds", "due", "new"});
}

TEST_CASE("the pace follows the consumers") {
  Audience near{.following = true};
  CHECK(pace(near, 10ms) == 10ms);
  near.behind_most = 1;
  CHECK(pace(near, 10ms) == 10ms);
  near.behind_most = 5;
  CHECK(pace(near, 10ms) == 50ms);
  near.behind_most = 1'000'000'000'000'000;
  CHECK(pace(near, 10ms) == 1s);
  CHECK(pace(near, 2s) == 2s);  // never below what was asked for
  CHECK(pace({.following = true, .absent = true}, 10ms) == 100ms);
  CHECK(pace({.following = true, .absent = true, .behind_most = 30}, 10ms) == 300ms);
  CHECK(pace({.absent = true}, 10ms) == 100ms);
  CHECK(pace({}, 10ms) == 100ms);
  CHECK(pace({}, 500ms) == 500ms);
}

TEST_CASE("a sequence never used counts no event") {
  QueueFacts q = queue(10s, 2s, 0);
  q.seq = 0;
  q.tick_event_seq = 1;  // as the original's ticks say
  CHECK(q.new_events() == 0);
  q.tick_event_seq = 0;
  CHECK(q.new_events() == 0);
  q.seq = 1;
  CHECK(q.new_events() == 1);
}

TEST_CASE("pauses double up to the longest, with jitter, and start again after a reset") {
  Backoff backoff(1s, 5s);
  for (milliseconds expected : {1s, 2s, 4s, 5s, 5s}) {
    milliseconds pause = backoff.next();
    CHECK(pause >= expected * 3 / 4);
    CHECK(pause <= expected * 5 / 4);
  }
  backoff.reset();
  CHECK(backoff.next() <= 1250ms);
}

TEST_CASE("maintenance operations as statements") {
  CHECK(Operation{"pgq.maint_rotate_tables_step1", "my 'q'"}.sql() ==
        "select \"pgq\".\"maint_rotate_tables_step1\"('my ''q''')");
  CHECK(Operation{"londiste.periodic_maintenance", {}}.sql() == "select \"londiste\".\"periodic_maintenance\"()");
  CHECK(Operation{"vacuum", "pgq.tick"}.sql() == "vacuum \"pgq\".\"tick\"");
  CHECK(Operation{"VACUUM ANALYZE", "pgq.tick; drop table x"}.sql() == "VACUUM ANALYZE \"pgq\".\"tick; drop table x\"");
  CHECK_THROWS_AS((Operation{"vacuum", {}}.sql()), Error);
}

TEST_CASE("settings: databases from flags, else from the list, else the server's list") {
  CHECK(read_settings(merged({}), {"dbname=a", "dbname=b"}).databases ==
        std::vector<std::string>{"dbname=a", "dbname=b"});
  auto listed =
      read_settings(merged({{"database_list", {{"a", "b c"}, "flag"}}, {"base_connstr", flag("host=db1 port=1")}}), {});
  CHECK(listed.databases == std::vector<std::string>{"host=db1 port=1 dbname=a", "host=db1 port=1 dbname='b c'"});
  CHECK_FALSE(listed.discover);
  auto found = read_settings(merged({{"discover", flag("true")}, {"base_connstr", flag("host=db1")}}), {});
  CHECK(found.discover);
  CHECK(found.databases == std::vector<std::string>{"host=db1 dbname=postgres"});
  CHECK(read_settings(merged({}), {}).databases == std::vector<std::string>{""});
}

TEST_CASE("settings: periods, where a bare number is seconds") {
  Periods p = read_settings(merged({{"ticker_period", flag("0.5")}, {"maint_period", flag("5m")}}), {}).periods;
  CHECK(p.ticker == 500ms);
  CHECK(p.maint == 5min);
  CHECK(p.max_lag == 10ms);
  CHECK(p.check == 1min);
  CHECK_THROWS_AS(read_settings(merged({{"maint_period", flag("0")}}), {}), UsageError);
}
