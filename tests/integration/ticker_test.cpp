// What the ticker looks at and when it ticks.
#include "tests/support/ticker.h"

#include <doctest/doctest.h>

#include <iostream>

#include "core/ticker/tick_loop.h"

using namespace skytools;
using namespace skytools::test;
using namespace std::chrono_literals;

TEST_CASE("the client's decision is the server's") {
  Queues db;
  struct Sample {
    const char *second_newest, *newest;
    int new_events;
    bool due;
  };
  const Sample samples[] = {
      {"10 s", "2 s", 1, false},    {"10 s", "3.1 s", 1, true},  {"10 s", "0.5 s", 499, false},
      {"10 s", "0.5 s", 500, true}, {"10 s", "1.4 s", 0, false}, {"5 s", "1.6 s", 0, false},
      {"2 s", "1.6 s", 0, true},    {"14 s", "10 s", 0, true},   {"100 s", "58 s", 0, false},
      {"100 s", "61 s", 0, true},
  };
  db.query("delete from pgq.tick");
  db.query("insert into pgq.tick (tick_queue, tick_id, tick_event_seq) values (1, 101, 7), (1, 102, 7)");
  pg::Connection c("ticker", db.conninfo());
  ticker::Api api(c);
  for (auto& s : samples) {
    INFO("ages " << s.second_newest << ", " << s.newest << ", new " << s.new_events);
    db.query("select setval('pgq.event_1_id_seq', " + std::to_string(7 + s.new_events) + ")");
    db.age_ticks(s.second_newest, s.newest);
    auto queues = api.check();
    REQUIRE(queues.size() == 1);
    CHECK(ticker::decide(queues[0], std::nullopt).due == s.due);
    CHECK(queues[0].new_events() == s.new_events);
    pg::Transaction tx(c);
    CHECK(tx.value<bool>("select pgq.ticker('q') is not null") == s.due);
  }
}

TEST_CASE("queues that are paused or ticked from outside are not looked at") {
  Queues db({"a", "b", "c"});
  db.query("update pgq.queue set queue_ticker_paused = true where queue_name = 'a'");
  db.query("update pgq.queue set queue_external_ticker = true where queue_name = 'b'");
  pg::Connection c("ticker", db.conninfo());
  ticker::Api api(c);
  auto queues = api.check();
  REQUIRE(queues.size() == 1);
  CHECK(queues[0].name == "c");
}

TEST_CASE("a glance changes with events and queues, and with nothing else") {
  Queues db({"a", "b"});
  pg::Connection c("ticker", db.conninfo());
  ticker::Api api(c);
  auto queues = api.check();
  std::string before = api.glance(queues);
  CHECK(before != "");  // though no event has ever been sent
  db.query("select pgq.ticker('a'), pgq.ticker('b')");
  CHECK(api.glance(queues) == before);
  for (std::string change : {"select pgq.insert_event('a', 't', 'd')", "select pgq.insert_event('b', 't', 'd')",
                             "update pgq.queue set queue_ticker_paused = true where queue_name = 'b'"}) {
    INFO(change);
    db.query(change);
    std::string after = api.glance(queues);
    CHECK(after != before);
    before = after;
  }
  // seen when it is committed, whatever was seen while it was not
  pg::Connection producer("producer", db.conninfo());
  pg::Transaction tx(producer);
  tx.exec("select pgq.insert_event('a', 't', 'd')");
  CHECK(api.glance({queues[1]}) != "");
  tx.commit();
  CHECK(api.glance(queues) != before);
  before = api.glance(queues);
  CHECK(api.glance(queues) == before);
}

TEST_CASE("events whose transaction was open at the newest tick get a tick of their own") {
  Queues db;
  pg::Connection c("ticker", db.conninfo()), producer("producer", db.conninfo());
  ticker::Stats stats;
  ticker::TickLoop loop(c, stats);
  db.calm();
  pg::Transaction tx(producer);
  tx.exec("select pgq.insert_event('q', 't', 'd')");
  CHECK(loop.tick_once({}) == 0);
  CHECK(stats.ticks == 1);  // the sequence had moved
  CHECK(loop.tick_once({}) == 0);
  CHECK(stats.ticks == 1);
  tx.commit();
  CHECK_FALSE(db.covered());
  db.calm();
  CHECK(db.query("select pgq.ticker('q')") == "NULL");  // the server sees nothing new
  CHECK(loop.tick_once({}) == 0);
  CHECK(stats.ticks == 2);
  CHECK(db.covered());
  CHECK(loop.tick_once({}) == 0);
  CHECK(stats.ticks == 2);
}

TEST_CASE("idle ticks of many queues are made in one transaction") {
  Queues db;
  db.query("select pgq.create_queue('r' || n) from generate_series(1, 19) n");
  pg::Connection c("ticker", db.conninfo());
  ticker::Stats stats;
  ticker::TickLoop loop(c, stats);
  CHECK(loop.tick_once({}) == 0);  // the second tick of each queue
  // The newest tick of queue n is `first` + n seconds old. The idle period is a minute.
  auto spread = [&](const std::string& first) {
    db.query("update pgq.tick set tick_time = now() - interval '200 s'");
    db.query("update pgq.tick t set tick_time = now() - interval '" + first +
             "' - tick_queue * interval '1 s'"
             " where tick_id = (select max(tick_id) from pgq.tick x where x.tick_queue = t.tick_queue)");
    stats.ticks = 0;
  };
  spread("35 s");
  CHECK(loop.tick_once({}) == 0);
  CHECK(stats.ticks == 0);
  spread("42 s");
  CHECK(loop.tick_once({}) == 0);
  CHECK(stats.ticks == 20);
  CHECK(
      db.query("select count(*), count(distinct xmin::text) from pgq.tick where tick_time > now() - interval '30 s'") ==
      "20|1");
  CHECK(loop.tick_once({}) == 0);
  CHECK(stats.ticks == 20);

  // one that cannot be ticked calls nobody
  db.query("update pgq.tick set tick_snapshot = '9000000000:9000000000:' where tick_queue = 7");
  spread("36 s");
  db.query("update pgq.tick set tick_time = now() - interval '2 min' - tick_id * interval '1 s' where tick_queue = 7");
  for (int i = 0; i < 2; ++i) {
    CHECK(loop.tick_once({}) == 1);
    CHECK(stats.ticks == 0);
  }
}

TEST_CASE("a sleeping ticker takes no transaction id and writes no WAL, and is woken by a producer") {
  Queues db({"q", "other"});
  db.calm();
  // The slow look comes only every 15 s: what is seen sooner was announced.
  Background ticker(ticker_args(db, {"--ticker-period", "15s"}));
  REQUIRE(soon_logged(ticker, "ticking"));
  db.insert();
  REQUIRE(db.soon_covered());
  db.calm();
  REQUIRE(soon([&] { return db.asleep(); }));
  auto start = Clock::now();
  db.insert();
  REQUIRE(db.soon_covered());
  CHECK(Clock::now() - start < 10s);
  CHECK(ticker.stop() == 0);

  Background frequent(ticker_args(db, {"--ticker-period", "50ms"}));
  db.calm();
  REQUIRE(soon([&] { return db.asleep(); }));
  auto position = [&] {
    return db.query("select pg_current_wal_insert_lsn(), txid_snapshot_xmax(txid_current_snapshot())");
  };
  auto last_look = [&] {
    return db.query("select max(query_start) from pg_stat_activity where application_name = 'skytools ticker'");
  };
  // In one of the windows the maintenance of the start may write something, or another process of the server, e.g. the
  // list of running transactions.
  bool quiet = false;
  for (int i = 0; i < 10 && !quiet; ++i) {
    std::string before = position();
    for (int looks = 0; looks < 10; ++looks) REQUIRE(soon([&, look = last_look()] { return last_look() != look; }));
    quiet = position() == before;
  }
  CHECK(quiet);
}

TEST_CASE("a producer that wakes nobody is found by the slow look, and its next events quickly") {
  Queues db;
  Background ticker(ticker_args(db));
  db.calm();
  REQUIRE(soon([&] { return db.asleep(); }));
  for (int i = 0; i < 3; ++i) {
    db.query("insert into pgq.event_1_0 (ev_time, ev_type, ev_data) values (now(), 't', 'd')");
    CHECK(db.soon_covered());
  }
}

TEST_CASE("a new tick is announced to listeners") {
  Queues db;
  pg::Connection listener("listener", db.conninfo());
  REQUIRE(pg::listen(listener, "pgq_tick_1"));
  Background ticker(ticker_args(db));
  db.insert();
  std::vector<pg::Notification> got;
  for (Deadline deadline(kPatience); got.empty() && !deadline.passed(); got = listener.notifications())
    listener.wait_readable(100ms);
  REQUIRE_FALSE(got.empty());
  CHECK(got[0].channel == "pgq_tick_1");
  CHECK(db.query("select count(*) from pgq.tick where tick_id = " + got[0].payload) == "1");
}

TEST_CASE("a failing or locked queue holds up no other") {
  Queues db({"future", "locked", "lost", "works"});
  db.query(
      "insert into pgq.tick (tick_queue, tick_id, tick_event_seq, tick_snapshot) values (1, 100, 0, "
      "'9000000000:9000000000:')");
  db.query("drop sequence pgq.event_3_id_seq cascade");
  pg::Connection c("blocker", db.conninfo());
  pg::Transaction blocker(c);
  blocker.exec("select 1 from pgq.queue where queue_name = 'locked' for update");
  Background ticker(ticker_args(db));
  for (int i = 0; i < 3; ++i) {
    db.insert("future");
    db.insert("locked");
    db.insert("works");
    CHECK(db.soon_covered("works"));
  }
  CHECK(soon_logged(ticker, "Invalid PgQ state"));
  CHECK(soon_logged(ticker, "queue=locked"));
  CHECK(soon_logged(ticker, "queue=lost"));
  CHECK_FALSE(db.covered("locked"));
  blocker.rollback();
  CHECK(db.soon_covered("locked"));
  CHECK(soon_logged(ticker, "queue ticks again"));
}

TEST_CASE("a database with the original's extension is ticked, too") {
  Database db;
  if (db.query("select count(*) from pg_available_extensions where name = 'pgq'") == "0") {
    std::cerr << "SKIPPED: the extension pgq is not available\n";
    return;
  }
  db.query("create extension pgq");
  db.query("select pgq.create_queue('q')");
  db.query("select pgq.set_queue_config('q', 'ticker_max_lag', '200 milliseconds')");
  pg::Connection listener("listener", db.conninfo());
  REQUIRE(pg::listen(listener, "pgq_tick_1"));
  Background ticker(ticker_args(db));
  REQUIRE(soon_logged(ticker, "ticking"));
  std::string before = db.query("select max(tick_id) from pgq.tick");
  db.query("select pgq.insert_event('q', 't', 'd')");
  CHECK(soon([&] {
    return db.query(
               "select txid_visible_in_snapshot((select max(ev_txid) from pgq.event_1), tick_snapshot) from pgq.tick "
               "order by tick_id desc limit 1") == "t";
  }));
  CHECK(soon([&] { return listener.wait_readable(10ms) && !listener.notifications().empty(); }));
  CHECK(ticker.stop() == 0);
}
