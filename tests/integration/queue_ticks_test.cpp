// skytools queue: ticks and what they tell, through the real binary.
#include <doctest/doctest.h>

#include <csignal>
#include <sstream>

#include "core/pg/transaction.h"
#include "tests/support/queue_program.h"

using namespace skytools;
using nlohmann::json;
using std::chrono::seconds;
using test::contains;
using test::Output;
using test::QueueDatabase;

TEST_CASE("stats come from the sequence values in ticks") {
  QueueDatabase db;
  db.run({"create", "q"});
  // 600 events in the last two minutes, 10800 in the hour before; nothing since the newest tick
  db.query(
      "delete from pgq.tick; insert into pgq.tick (tick_queue, tick_id, tick_time, tick_event_seq) values"
      " (1, 1, now() - interval '2 hours', 1000), (1, 2, now() - interval '62 minutes', 1000),"
      " (1, 3, now() - interval '2 minutes', 11800), (1, 4, now(), 12400);"
      "select setval('pgq.event_1_id_seq', 12400), setval('pgq.event_1_tick_seq', 4)");
  json q = db.ask({"stats", "q"}).at(0);
  auto near = [](const json& value, double wanted) { return std::abs(value.get<double>() - wanted) < wanted / 20; };
  CHECK(near(q["events_last_minute"], 300));
  CHECK(near(q["events_per_second"], 5));
  CHECK(near(q["events_last_hour"], 600 + 10800.0 * 58 / 60));
  CHECK(near(q["events_per_second_hour"], 3.07));
  CHECK(q["new_events"] == 0);
  CHECK(q["last_tick"] == 4);
  // The ticks reach back half a minute only.
  db.query(
      "delete from pgq.tick where tick_id < 4; update pgq.tick set tick_time = now() - interval '30 s';"
      "select setval('pgq.event_1_id_seq', 12460)");
  q = db.ask({"stats"}).at(0);
  CHECK(q["events_last_minute"] == 60);
  CHECK(q["events_last_hour"] == 60);
  CHECK(near(q["events_per_second"], 2));
  CHECK(q["new_events"] == 60);
}

TEST_CASE("stats --watch prints a JSON line per look until it is interrupted") {
  QueueDatabase db;
  db.run({"create", "q"});
  test::Background watch({"queue", "stats", "q", "--watch", "100ms", "--json", "--db", db.conninfo()});
  auto lines = [&] {
    std::string out = watch.out();
    return std::count(out.begin(), out.end(), '\n');
  };
  REQUIRE(test::eventually(seconds(20), [&] { return lines() >= 1; }));
  db.run({"send", "q", "--stdin"}, "{}\n{}\n{}\n");
  auto seen = lines();
  REQUIRE(test::eventually(seconds(20), [&] { return lines() >= seen + 2; }));
  watch.signal(SIGINT);
  CHECK(watch.wait() == 0);
  double most = 0;
  std::istringstream out(watch.out());
  for (std::string line; std::getline(out, line);) {
    json look = json::parse(line);
    CHECK(look["queue"] == "q");
    CHECK(look["time"].get<std::string>().find('T') == 10);
    if (!look["events_per_second_now"].is_null()) most = std::max(most, look["events_per_second_now"].get<double>());
  }
  CHECK(most > 0);
  db.check_failure({"stats", "--watch", "1ms"}, 2, "--watch");
}

TEST_CASE("tick shows all that is committed, with a ticker and without") {
  QueueDatabase db;
  db.run({"create", "q"});
  Output alone = db.try_run({"tick", "q", "--json"});
  CHECK(alone.exit == 0);
  CHECK(json::parse(alone.out) == json::parse(R"({"queue": "q", "tick": 2})"));
  CHECK(contains(alone.err, "no ticker serves this database"));
  CHECK(db.ask({"tick", "q"})["tick"] == 3);
  CHECK(db.query("select max(tick_event_seq) < 10 from pgq.tick") == "t");  // few ids are spent
  test::Background ticker({"ticker", "--db", db.conninfo()});
  REQUIRE(test::eventually(seconds(20), [&] { return ticker.logged("ticking"); }));
  Output served = db.try_run({"tick", "q"});
  CHECK(served.exit == 0);
  CHECK_FALSE(contains(served.err, "no ticker"));
  // A reader cannot tick, the ticker does it for him.
  db.query("drop role if exists queue_reader; create role queue_reader login; grant pgq_reader to queue_reader");
  Output reader = db.try_run({"tick", "q", "--json"}, "", "queue_reader");
  CHECK(reader.exit == 0);
  CHECK(json::parse(reader.out)["tick"] >= 5);
  ticker.stop();
  Output nobody = db.try_run({"tick", "q", "--timeout", "300ms"}, "", "queue_reader");
  CHECK(nobody.exit == 7);
  CHECK(contains(nobody.err, "skytools ticker"));
}

TEST_CASE("a tick that was being made before shows too little") {
  QueueDatabase db;
  db.run({"create", "q"});
  db.run({"register", "q", "c"});
  db.query("drop role if exists queue_reader; create role queue_reader login; grant pgq_reader to queue_reader");
  pg::Connection slow("slow", db.conninfo());
  for (std::string role : {"queue_reader", "postgres"}) {
    INFO(role);
    auto newest = std::stoll(db.query("select max(tick_id) from pgq.tick"));
    pg::Transaction tx(slow);
    tx.exec("select nextval('pgq.event_1_id_seq'), skytools.tick('q', interval '0')");
    db.run({"send", "q", "--data", "x"});
    auto ids = [&] { return std::stoll(db.query("select last_value from pgq.event_1_id_seq")); };
    auto spent = ids();
    test::Background tick({"queue", "tick", "q", "--json", "--db", db.conninfo() + " user=" + role});
    REQUIRE(test::eventually(seconds(20), [&] { return ids() > spent; }));  // it has asked
    CHECK(tick.running());
    spent = ids();
    tx.commit();
    if (role == "queue_reader") {  // asks again, and nobody but us is there to tick
      REQUIRE(test::eventually(seconds(20), [&] { return ids() > spent; }));
      CHECK(tick.running());
      db.query("select pgq.ticker('q')");
    }
    CHECK(tick.wait() == 0);
    CHECK(json::parse(tick.out())["tick"] == newest + 2);
    CHECK(db.query("select count(*) from pgq.get_batch_events(pgq.next_batch('q', 'c'))") == "0");
    db.query("select pgq.finish_batch(sub_batch) from pgq.subscription");
    CHECK(db.query("select count(*) from pgq.get_batch_events(pgq.next_batch('q', 'c'))") == "1");
    db.query("select pgq.finish_batch(sub_batch) from pgq.subscription");
  }
}

TEST_CASE("no tick on a paused queue, nor where ticks come from outside") {
  QueueDatabase db;
  db.run({"create", "q"});
  CHECK(db.ask({"pause", "q"})["result"] == "paused");
  CHECK(db.ask({"pause", "q"})["result"] == "already paused");
  CHECK(db.ask({"list"})[0]["state"] == "paused");
  db.check_failure({"tick", "q"}, 1, "skytools queue resume q");
  CHECK(db.ask({"resume", "q"})["result"] == "resumed");
  CHECK(db.ask({"resume", "q"})["result"] == "already running");
  CHECK(db.ask({"tick", "q"})["tick"] == 2);
  db.query("update pgq.queue set queue_external_ticker = true");
  db.check_failure({"tick", "q"}, 1, "on the root");
  db.check_failure({"tick", "p"}, 1, "there is no queue 'p'");
  db.check_failure({"pause", "p"}, 1, "there is no queue 'p'");
}
