// Schema pgq with several sessions at once, and across a crash of the server. What one session sees is in
// tests/sql/pgq.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/pg/transaction.h"
#include "core/schema/install.h"
#include "tests/support/queue_story.h"

using namespace skytools;
using namespace std::chrono_literals;
using test::kPatience, test::Queue, test::Session;

namespace {

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("a queue is created once by two sessions") {
  Queue db;
  Session one(db.conninfo()), two(db.conninfo());
  const std::string create = "select pgq.create_queue('race')";
  CHECK(one.ask(create) == "1");
  CHECK(db.contended(two, create, [&] { one.commit(); }) == "0");

  const std::string again = "select pgq.create_queue('given up')";
  CHECK(one.ask(again) == "1");
  CHECK(db.contended(two, again, [&] { one.rollback(); }) == "1");
  CHECK(
      db.query("select count(*) from pgq.tick join pgq.queue on queue_id = tick_queue where queue_name = 'given up'") ==
      "1");
}

TEST_CASE("a consumer is registered once by two sessions") {
  Queue db;
  Session one(db.conninfo()), two(db.conninfo());
  const std::string add = "select pgq.register_consumer('q', 'new')";
  const std::string remove = "select pgq.unregister_consumer('q', 'new')";

  CHECK(one.ask(add) == "1");
  CHECK(db.contended(two, add, [&] { one.rollback(); }) == "1");
  CHECK(one.ask(remove) == "1");
  CHECK(db.contended(two, add, [&] { one.commit(); }) == "1");
  CHECK(one.ask(remove) == "1");
  one.commit();
  CHECK(one.ask(add) == "1");
  CHECK(db.contended(two, add, [&] { one.commit(); }) == "0");
  CHECK(db.query("select count(*) from pgq.subscription") == "2");
}

TEST_CASE("two sessions of a consumer get the same batch") {
  Queue db;
  db.insert("a");
  db.tick();
  Session one(db.conninfo()), two(db.conninfo());
  const std::string batch = one.ask("select pgq.next_batch('q', 'c')");
  CHECK(db.contended(two, "select batch_id from pgq.next_batch_info('q', 'c')", [&] { one.commit(); }) == batch);
  CHECK(db.query("select ev_data from pgq.get_batch_events(" + batch + ")") == "a");
  CHECK(db.query("select pgq.finish_batch(" + batch + ")") == "1");
  CHECK(db.query("select pgq.next_batch('q', 'c')") == "NULL");

  // the first one gives its batch back: the second opens its own
  db.insert("b");
  db.tick();
  one.ask("select pgq.next_batch('q', 'c')");
  const std::string own = db.contended(two, "select pgq.next_batch('q', 'c')", [&] { one.rollback(); });
  CHECK(db.query("select ev_data from pgq.get_batch_events(" + own + ")") == "b");
}

TEST_CASE("of two tickers one ticks") {
  Queue db;
  db.insert("a");
  db.query("update pgq.tick set tick_time = tick_time - interval '1 hour'");
  Session one(db.conninfo()), two(db.conninfo());
  const std::string id = one.ask("select pgq.ticker('q')");
  CHECK(id == "2");
  CHECK(two.ask("select pgq.ticker('q')") == "NULL");
  CHECK(two.ask("select pgq.ticker()") == "0");
  two.commit();
  one.commit();
  CHECK(two.ask("select pgq.ticker('q')") == "NULL");  // looks at the new tick
  two.commit();

  // external ticks wait instead: none may be lost
  db.query("update pgq.queue set queue_external_ticker = true");
  one.ask("select pgq.ticker('q', 10, now(), 10)");
  CHECK(db.contended(two, "select pgq.ticker('q', 11, now(), 11)", [&] { one.commit(); }) == "11");
  CHECK(db.query("select string_agg(tick_id::text, ' ' order by tick_id) from pgq.tick") == "1 2 10 11");
  CHECK(db.query("select count(*) from pgq.tick a join pgq.tick b on b.tick_id = a.tick_id + 1"
                 " where txid_snapshot_xmax(b.tick_snapshot) < txid_snapshot_xmax(a.tick_snapshot)") == "0");
}

TEST_CASE("a ticker with nothing to do takes no transaction id and writes no WAL") {
  Queue db;
  db.insert("a");
  db.tick();
  const std::string state =
      "select txid_snapshot_xmax(txid_current_snapshot()) || ' ' || pg_current_wal_insert_lsn()::text";
  // other processes of the server write now and then: one quiet round proves it
  CHECK(test::eventually(kPatience, [&] {
    db.tick();
    db.query("update pgq.queue set queue_ticker_idle_period = '2 hours'");
    Session ticker(db.conninfo());
    const std::string before = db.query(state);
    for (int i = 0; i < 20; ++i) {
      CHECK(ticker.ask("select pgq.ticker()") == "0");
      CHECK(ticker.ask("select pgq.ticker('q')") == "NULL");
      CHECK(ticker.ask("select skytools.tick('q', '1 s')") == "NULL");
      ticker.commit();
    }
    return db.query(state) == before;
  }));
}

TEST_CASE("rotation hinders nobody, and is hindered by a reader of the table only for the time being") {
  Queue db;
  db.tick_and_drain();
  Session rotation(db.conninfo()), other(db.conninfo());
  const std::string before = db.table();
  rotation.ask("select pgq.maint_rotate_tables_step1('q')");
  other.run("set local lock_timeout = '2s'");
  CHECK(other.sqlstate_of("select pgq.insert_event('q', 't', 'meanwhile')") == "");
  CHECK(other.sqlstate_of("select pgq.register_consumer('q', 'meanwhile')") == "");
  CHECK(other.sqlstate_of(
            "select pgq.event_retry_raw('q', 'c', now(), null, now(), 1, 't', 'r', null, null, null, null)") == "");
  CHECK(other.sqlstate_of("select pgq.force_tick('q')") == "");
  other.commit();
  other.run("set local lock_timeout = '2s'");
  CHECK(other.ask("select pgq.ticker('q')") != "NULL");
  CHECK(other.sqlstate_of("select pgq.next_batch('q', 'c')") == "");
  other.commit();
  rotation.commit();
  REQUIRE(db.table() != before);
  db.step2();
  CHECK(db.query("select pgq.unregister_consumer('q', 'meanwhile')") == "1");
  CHECK(db.query("select pgq.maint_retry_events()") == "1");
  CHECK(db.tick_and_drain() == Strings{"meanwhile", "r"});
  db.tick_and_drain();

  const std::string now = db.table();
  other.run("select * from pgq.event_template");
  db.step1();
  CHECK(db.table() == now);
  other.commit();
  db.step1();
  CHECK(db.table() != now);
}

TEST_CASE("a REPEATABLE READ producer across rotations is delivered or has to retry") {
  Queue db;
  const std::string insert = "select pgq.insert_event('q', 't', $1)";
  auto old_view = [&](Session& s) { s.run("select from pgq.queue"); };

  Session before(db.conninfo(), pg::Mode::repeatable_read), through(db.conninfo(), pg::Mode::repeatable_read);
  Session between(db.conninfo(), pg::Mode::repeatable_read), table(db.conninfo(), pg::Mode::repeatable_read);
  Session read_committed(db.conninfo());
  db.tick_and_drain();
  for (auto s : {&before, &through, &table}) old_view(*s);
  old_view(read_committed);
  db.step1();
  // until step 2 batches look into both tables
  CHECK(through.sqlstate_of(insert, "view of before step 1, insert before step 2") == "");
  old_view(between);
  db.step2();
  CHECK(before.sqlstate_of(insert, "lost") == "40001");
  CHECK(table.sqlstate_of("select pgq.current_event_table('q')") == "40001");
  CHECK(between.sqlstate_of(insert, "view of after step 1") == "");
  CHECK(read_committed.sqlstate_of(insert, "read committed") == "");
  // the open transactions hold the next rotation back, however often the consumer moves on
  for (int i = 0; i < 3; ++i) CHECK(db.tick_and_drain() == Strings{});
  const std::string now = db.table();
  db.step1();
  CHECK(db.table() == now);
  through.commit(), between.commit(), read_committed.commit();
  CHECK(db.tick_and_drain() ==
        Strings{"view of before step 1, insert before step 2", "view of after step 1", "read committed"});

  // the view is three rotations old: its table is the current one again, or would be emptied next
  for (int rotations = 1; rotations <= 4; ++rotations) {
    INFO("rotations " << rotations);
    old_view(before);
    for (int i = 0; i < rotations; ++i) db.rotate();
    CHECK(before.sqlstate_of(insert, "lost") == "40001");
    // the retry has a new view
    CHECK(before.sqlstate_of(insert, "retried") == "");
    before.commit();
    CHECK(db.tick_and_drain() == Strings{"retried"});
  }
}

TEST_CASE("tick ids go on after a crash of the server") {
  run::ThrowawayServer own;  // wal_level = minimal: sequences made in a transaction log their values at its end
  Queue db(own);
  db.query("select pgq.create_queue('fresh')");
  db.insert("a");
  CHECK(db.tick() == "2");
  CHECK(db.tick() == "3");
  own.crash();
  own.start();
  CHECK(db.query("select count(*) from pgq.tick where tick_queue = 1") == "3");
  const int next = std::stoi(db.tick());
  CHECK(next > 3);
  CHECK(std::stoi(db.query("select pgq.ticker('fresh')")) > 1);
  CHECK(db.drain() == Strings{"a"});
  // and once more, with what the first one left
  own.crash();
  own.start();
  db.insert("b");
  CHECK(std::stoi(db.tick()) > next);
  CHECK(db.drain() == Strings{"b"});
  CHECK(db.query("select count(*) = count(distinct ev_id) from pgq.event_1") == "t");
}

TEST_CASE("whatever happens, batches hold every committed event exactly once") {
  for (unsigned seed : {1u, 2u, 3u}) {
    INFO("seed " << seed);
    Queue db;
    test::Story story = test::random_story(db, seed, 1200);
    CHECK(story.committed.size() > 200);
    CHECK(story.delivered == story.committed);
    // else the test has missed what it is for
    CHECK(story.refused > 0);
    CHECK(story.rotations > 3);
    CHECK(story.lists > 0);
  }
}
