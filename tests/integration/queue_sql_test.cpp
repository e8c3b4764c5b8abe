// The SQL functions of schema skytools for queues and consumers with several sessions at once, and beside the
// original's extension. While xmin is held: queue_xmin_test.cpp. What one session sees is in tests/sql/skytools.
#include <doctest/doctest.h>

#include <thread>

#include "core/base/strings.h"
#include "tests/support/queue.h"

using namespace skytools;
using namespace std::chrono_literals;
using test::force_tick;
using test::Queue;
using test::Session;

namespace {

const std::string kReceive =
    "select coalesce(string_agg(ev_data, ' ' order by ev_id), '') from skytools.receive('q', 'c', 2)";
const std::string kAckAll = "select skytools.ack('q', 'c', array(select ev_id from skytools.receive('q', 'c', 2)))";

}  // namespace

TEST_CASE("receivers of one consumer take turns") {
  Queue db;
  db.query("select skytools.send('q', 't', array['a', 'b', 'c', 'd', 'e'])");
  db.tick();
  Session one(db.conninfo()), two(db.conninfo());

  // what one works on in a transaction is not given to two, and comes again if one gives up
  CHECK(one.ask(kReceive) == "a b");
  CHECK(one.ask(kAckAll) == "2");
  CHECK(db.contended(two, kReceive, [&] { one.commit(); }) == "c d");
  CHECK(one.ask(kAckAll) == "2");
  CHECK(db.contended(two, kReceive, [&] { one.rollback(); }) == "c d");
  // without a transaction around the work both get the same events, and the second answer counts nothing
  CHECK(one.ask(kReceive) == "c d");
  one.commit();
  CHECK(two.ask("select skytools.ack('q', 'c', array[3, 4])") == "2");
  CHECK(db.contended(one, "select skytools.ack('q', 'c', array[3, 4])", [&] { two.commit(); }) == "0");
  // the last answer ends the batch for both
  CHECK(two.ask("select skytools.ack('q', 'c', 5)") == "1");
  CHECK(db.contended(one, kReceive, [&] { two.commit(); }) == "");
  CHECK(db.query("select current_batch, pending_events from pgq.get_consumer_info('q')") == "NULL|0");
}

TEST_CASE("many receivers of one consumer do each event once") {
  Queue db;
  constexpr int kBatches = 20, kPerBatch = 7;
  for (int i = 0; i < kBatches; ++i) {
    db.query("select skytools.send('q', 't', array(select n::text from generate_series(1, " +
             std::to_string(kPerBatch) + ") n))");
    db.tick();
  }
  db.query("create table done (ev_id bigint)");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      pg::Connection c("receiver", db.conninfo());
      for (bool more = true; more;) {
        pg::Transaction tx(c);
        more = tx.value<bool>(
            "with got as (insert into done select ev_id from skytools.receive('q', 'c', 3) returning ev_id), "
            "answer as (select skytools.ack('q', 'c', array(select ev_id from got)) as n, (select count(*) from got) "
            "as m) "
            "select m > 0 and n = m from answer");
        tx.commit();
      }
    });
  for (auto& t : threads) t.join();
  CHECK(db.query("select count(*), count(distinct ev_id) from done") ==
        std::to_string(kBatches * kPerBatch) + "|" + std::to_string(kBatches * kPerBatch));
  CHECK(db.query("select count(*) from skytools.unanswered") == "0");
}

TEST_CASE("an answer that does not see the others' fails, and none of the events comes again") {
  Queue db;
  db.query("select skytools.send('q', 't', array['a', 'b', 'c'])");
  db.tick();
  db.query("select count(*) from skytools.receive('q', 'c')");
  Session older(db.conninfo(), pg::Mode::repeatable_read);
  older.ask("select count(*) from skytools.unanswered");
  CHECK(db.query("select skytools.ack('q', 'c', array[1, 3])") == "2");
  // to its snapshot 1 and 3 are left, so it would not end the batch
  CHECK(older.sqlstate_of("select skytools.ack('q', 'c', 2)") == "40001");
  CHECK(older.ask("select skytools.ack('q', 'c', 2)") == "1");
  older.commit();
  CHECK(db.query("select count(*) from skytools.receive('q', 'c')") == "0");
}

TEST_CASE("a batch is answered once by two sessions") {
  Queue db;
  db.query("select skytools.send('q', 't', array['a', 'b'])");
  db.tick();
  db.query("select pgq.next_batch('q', 'c')");
  Session one(db.conninfo()), two(db.conninfo());
  CHECK(one.ask("select skytools.answer_batch(1, array[1], null, null, null)") == "1");
  CHECK(db.contended(two, "select skytools.answer_batch(1, array[2], null, array[1], null)", [&] { one.commit(); }) ==
        "0");
  CHECK(db.query("select ev_id from pgq.retry_queue") == "1");
  CHECK(db.query("select count(*) from skytools.dead_letter") == "0");
}

TEST_CASE("a consumer placed at an old tick and a rotation see each other") {
  for (std::string place : {"select skytools.seek('q', 'c', 1)",
                            "select skytools.seek('q', 'c', (select tick_time from pgq.tick where tick_id = 1))",
                            "select pgq.register_consumer_at('q', 'c', 1)"}) {
    INFO(place);
    Queue db;
    db.insert("old");
    db.tick_and_drain();
    db.tick_and_drain();
    REQUIRE(db.query("select sub_last_tick from pgq.subscription") == "3");
    Session consumer(db.conninfo()), rotation(db.conninfo());

    // rotation waits for the consumer, and then keeps what it needs
    consumer.ask(place);
    db.contended(rotation, "select pgq.maint_rotate_tables_step1('q')", [&] { consumer.commit(); });
    CHECK(db.drain() == std::vector<std::string>{"old"});

    // the consumer waits for a rotation, and is told that its tick is gone
    db.step1(), db.step2();
    db.tick_and_drain();
    CHECK(rotation.ask("select pgq.maint_rotate_tables_step1('q')") == "0");
    auto refused = std::async(std::launch::async, [&] { return consumer.sqlstate_of(place); });
    CHECK(test::eventually(test::kPatience, [&] { return db.waits_for_lock(consumer); }));
    rotation.commit();
    CHECK(refused.get() == "P0001");
  }
}

TEST_CASE("a consumer registered with an old snapshot gets a tick that is still there") {
  Queue db;
  auto rotate = [&] {
    db.insert("x");
    db.tick();
    db.step1();
    db.step2();
  };
  db.query("select pgq.unregister_consumer('q', 'c')");
  rotate();
  db.tick();
  Session older(db.conninfo(), pg::Mode::repeatable_read);
  older.ask("select count(*) from pgq.tick");
  for (int i = 0; i < 3; ++i) rotate();
  CHECK(older.sqlstate_of("select pgq.register_consumer('q', 'c')") == "40001");
  CHECK(older.ask("select pgq.register_consumer('q', 'c')") == "1");
  older.commit();
  CHECK(db.query("select count(*) from pgq.subscription join pgq.tick on tick_id = sub_last_tick") == "1");
  rotate();
  CHECK(db.drain() == std::vector<std::string>{"x"});
}

TEST_CASE("a seek of a group waits for no member") {
  Queue db;
  {
    pg::Connection c("test", db.conninfo());
    schema::install(c, {.modules = {"pgq_coop"}});
  }
  db.query("select pgq_coop.register_subconsumer('q', 'c', 'm')");
  // as a member does that is being given a batch: it has the main consumer's row next, or the other way round
  Session member(db.conninfo()), seeker(db.conninfo());
  member.ask("select 1 from pgq.subscription where sub_last_tick is null for update");
  seeker.run("set local lock_timeout = '5s'");
  CHECK(seeker.ask("select skytools.seek('q', 'c', 1)") == "1");
}

TEST_CASE("a consumer that listens is woken by the end of its pause and by a seek") {
  Queue db;
  db.query("select skytools.pause_consumer('q', 'c')");
  pg::Connection listener("listener", db.conninfo());
  REQUIRE(pg::listen(listener, "pgq_tick_1"));
  for (std::string wake : {"select skytools.resume_consumer('q', 'c')", "select skytools.seek('q', 'c', 1)"}) {
    db.query(wake);
    std::vector<pg::Notification> got;
    for (Deadline deadline(test::kPatience); got.empty() && !deadline.passed(); got = listener.notifications())
      listener.wait_readable(100ms);
    REQUIRE_MESSAGE(got.size() == 1, wake);
    CHECK(got[0].payload == "1");
  }
}

TEST_CASE("beside the original's extension all but the pause works") {
  test::Database db;
  if (db.query("select count(*) from pg_available_extensions where name = 'pgq'") == "0") {
    MESSAGE("SKIPPED: the extension pgq is not available");
    return;
  }
  db.query("create extension pgq");
  {
    pg::Connection c("test", db.conninfo());
    schema::install(c, {.modules = {"pgq"}});
  }
  REQUIRE(db.query("select origin from skytools.module where name = 'pgq'") == "extension");
  auto tick = [&] {
    pg::Connection c("ticker", db.conninfo());
    pg::Transaction tx(c, pg::Mode::autocommit);
    force_tick(tx, "q");
  };
  db.query("select pgq.create_queue('q'), pgq.register_consumer('q', 'c')");
  CHECK(db.query("select skytools.send('q', 't', 'a'), skytools.send('q', 't', array['b', 'c', 'd'])") == "1|3");
  tick();
  CHECK(db.query("select ev_data from skytools.receive('q', 'c', 2)") == "a\nb");
  CHECK(db.query("select skytools.ack('q', 'c', 1), skytools.nack('q', 'c', 2)") == "1|1");
  CHECK(db.query("select ev_data from skytools.receive('q', 'c')") == "c\nd");
  CHECK(db.query("select skytools.ack('q', 'c', array[3, 4])") == "2");
  CHECK(db.query("select current_batch from pgq.get_consumer_info('q', 'c')") == "NULL");
  CHECK(db.query("select skytools.seek('q', 'c', 1)") == "1");
  db.query("select skytools.set_queue_policy('q', 'retry_limit', '0')");
  CHECK(db.query("select skytools.answer_batch(pgq.next_batch('q', 'c'), array[1], null, array[3], array['bad'])") ==
        "1");
  CHECK(db.query("select ev_id, reason from skytools.dead_list('q', 'c')") == "1|retry limit of 0 reached\n3|bad");
  CHECK(db.query("select skytools.dead_replay('q', 'c', array[1]), skytools.dead_purge('q', 'c')") == "1|1");
  CHECK_THROWS_WITH_AS(db.query("select skytools.pause_consumer('q', 'c')"),
                       doctest::Contains("belongs to an extension"), pg::SqlError);
  // nobody tells skytools when a consumer goes: it stays unseen until the ticker's maintenance
  tick();
  db.query("select skytools.answer_batch(pgq.next_batch('q', 'c'), null, null, null, null)");
  db.query("select skytools.send('q', 't', 'x')");
  tick();
  db.query(
      "select skytools.answer_batch(b, null, null, array(select ev_id from pgq.get_batch_events(b)), null) from "
      "pgq.next_batch('q', 'c') b");
  REQUIRE(db.query("select count(*) from skytools.dead_letter") == "1");
  db.query("select pgq.drop_queue('q', true)");
  CHECK(db.query("select count(*) from skytools.dead_list(null)") == "0");
  CHECK(test::run_skytools({"ticker", "--once", "--db", db.conninfo()}).exit == 0);
  CHECK(db.query("select count(*) from skytools.dead_letter") == "0");
  CHECK(db.query("select count(*) from skytools.queue_policy") == "0");
}
