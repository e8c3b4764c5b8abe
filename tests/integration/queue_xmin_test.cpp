// Consumers and the retry queue keep their pace while a transaction holds xmin: docs/decisions/0013.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <thread>

#include "tests/support/queue.h"

using namespace skytools;
using namespace std::chrono_literals;
using test::force_tick;
using test::Queue;
using test::Session;

TEST_CASE("a consumer's id is renewed when nobody holds its rows") {
  Queue db;
  db.query("select pgq.create_queue('r'), pgq.register_consumer('r', 'c'), skytools.pause_consumer('r', 'c')");
  Session older(db.conninfo(), pg::Mode::repeatable_read), other(db.conninfo());
  const std::string renew = "select skytools.renew_consumer_id(co_id) from pgq.consumer where co_name = 'c'";
  const std::string who = "select string_agg(queue_name || consumer_name, ' ') from pgq.get_consumer_info()";
  REQUIRE(older.ask(who) == "qc rc");

  for (std::string hold :
       {"select 1 from pgq.consumer for key share", "select 1 from pgq.subscription where sub_queue = 2 for key share",
        "select pgq.register_consumer('q', 'c')"}) {
    INFO(hold);
    other.ask(hold);
    CHECK(db.query(renew) == "f");
    other.rollback();
  }
  db.query("select pgq.register_consumer('q', 'single')");  // all its rows are held
  other.ask("select 1 from pgq.subscription where sub_consumer = (select max(co_id) from pgq.consumer) for update");
  CHECK(db.query("select skytools.renew_consumer_id(co_id) from pgq.consumer where co_name = 'single'") == "f");
  other.rollback();
  db.query("select pgq.unregister_consumer('q', 'single')");
  db.query("select pgq.register_consumer('q', 'c.a')");
  db.query(
      "update pgq.subscription set sub_id = 1 where sub_consumer = (select co_id from pgq.consumer where co_name = "
      "'c.a')");
  CHECK(db.query(renew) == "f");  // the main consumer of a group
  db.query("select pgq.unregister_consumer('q', 'c.a')");
  CHECK(db.query(renew) == "t");
  CHECK(db.query("select skytools.renew_consumer_id(0)") == "f");

  CHECK(db.query("select count(*) from pgq.consumer where co_name = 'c' and co_id > 2") == "1");
  CHECK(db.query(who) == "qc rc");
  CHECK(db.query("select skytools.consumer_paused('r', 'c')") == "t");
  CHECK(older.ask(who) == "qc rc");
  CHECK(older.ask(renew) == "f");
  // an answer that waits for the renewal counts all the same
  db.query("select skytools.resume_consumer('r', 'c'), skytools.send('r', 't', array['a', 'b'])");
  db.query("update pgq.tick set tick_time = tick_time - interval '1 hour'");
  db.query("select pgq.ticker('r')");
  REQUIRE(db.query("select count(*) from skytools.receive('r', 'c')") == "2");
  Session renewing(db.conninfo());
  REQUIRE(renewing.ask(renew) == "t");
  CHECK(db.contended(other, "select skytools.ack('r', 'c', 1)", [&] { renewing.commit(); }) == "1");

  // who has the older snapshot cannot work on the row unnoticed
  db.insert("x");
  db.tick();
  older.rollback();
  older.ask("select 1 from pgq.queue limit 1");
  CHECK(db.query(renew) == "t");
  CHECK(older.sqlstate_of("select pgq.next_batch('q', 'c')") == "40001");
}

TEST_CASE("batches go on under new ids while xmin is held, each event once") {
  Queue db;
  constexpr int kTicks = 700;  // each 128 renew the id, once the table is above 64 kB
  db.query("select pgq.create_queue('r'), pgq.register_consumer('r', 'c'), pgq.register_consumer('q', 'd')");
  Session holder(db.conninfo(), pg::Mode::repeatable_read);
  const std::string facts =
      "select string_agg(concat(co_id, co_name, sub_last_tick), ' ' order by sub_id) from pgq.subscription join "
      "pgq.consumer on co_id = sub_consumer";
  const std::string before = holder.ask(facts);

  std::thread producer([&] {
    pg::Connection c("producer", db.conninfo());
    pg::Transaction tx(c, pg::Mode::autocommit);
    for (int i = 0; i < kTicks; ++i)
      for (std::string queue : {"q", "r"}) {
        tx.exec("select skytools.send($1, 't', array['1', '2'])", queue);
        force_tick(tx, queue);
      }
  });
  std::map<std::string, std::map<std::int64_t, int>> seen;  // subscription → event → how often
  std::map<std::string, std::string> failed;
  std::vector<std::thread> consumers;
  for (std::string name : {"q/c", "q/d", "r/c"})
    consumers.emplace_back([&, name, &mine = seen[name], &failure = failed[name]] {
      try {
        pg::Connection c(name, db.conninfo());
        pg::Transaction tx(c, pg::Mode::autocommit);
        Deadline deadline(120s);
        while (mine.size() < 2 * kTicks && !deadline.passed()) {
          auto batch =
              tx.value<std::optional<std::int64_t>>("select pgq.next_batch($1, $2)", name.substr(0, 1), name.substr(2));
          if (!batch) {
            std::this_thread::sleep_for(1ms);
            continue;
          }
          pg::Result events = tx.exec("select ev_id from pgq.get_batch_events($1)", *batch);
          for (int i = 0; i < events.rows(); ++i) ++mine[events.get<std::int64_t>(i, 0).value()];
          if (tx.value<int>("select pgq.finish_batch($1)", *batch) != 1) failure = "batch not finished";
        }
      } catch (const std::exception& e) {
        failure = e.what();
      }
    });
  producer.join();
  for (auto& t : consumers) t.join();

  for (auto& consumer : seen) {
    INFO(consumer.first);
    auto& events = consumer.second;
    CHECK(failed[consumer.first] == "");
    CHECK(events.size() == 2 * kTicks);
    CHECK(std::all_of(events.begin(), events.end(), [](auto& e) { return e.second == 1; }));
  }
  CHECK(db.query("select count(*) from pgq.consumer where co_id <= 2") == "0");  // both were renewed
  CHECK(db.query("select count(*), count(distinct sub_id) from pgq.subscription") == "3|3");
  CHECK(holder.ask(facts) == before);
  // A look-up walks along the versions under the newest id, not along all of them: their pages are the measure.
  auto pages = [&](const std::string& key) {
    const std::string plan = db.query(
        "set enable_seqscan = off; explain (analyze, buffers, timing off, summary off) select from pgq.subscription "
        "where " +
        key);
    const std::string mark = "shared hit=";
    return std::stoi(plan.substr(plan.find(mark) + mark.size()));
  };
  const int all = std::stoi(db.query("select pg_relation_size('pgq.subscription') / 8192"));
  CHECK(all > 30);  // the dead versions are there
  CHECK(pages("sub_queue = 1 and sub_consumer = (select co_id from pgq.consumer where co_name = 'd')") < all * 2 / 3);
}

TEST_CASE("a bloated retry queue is renewed without its dead rows, unless it is in use") {
  Queue db;
  Session older(db.conninfo(), pg::Mode::repeatable_read), other(db.conninfo());
  older.ask("select 1");
  const std::string add =
      "select pgq.event_retry_raw('q', 'c', now() + interval '1 h', $1, now(), 1, 't', 'd', null, null, null, null)";
  db.query(
      "select pgq.event_retry_raw('q', 'c', now(), n, now(), 1, 't', repeat('x', 100), null, null, null, null) from "
      "generate_series(1, 20000) n");
  db.query("delete from pgq.retry_queue where ev_id > 3");
  const std::string operation =
      "select count(*) from pgq.maint_operations() where func_name = 'skytools.renew_retry_queue'";
  const std::string size = "select pg_relation_size('pgq.retry_queue') > 100000";
  REQUIRE(db.query(operation) == "1");

  other.ask("select count(*) from pgq.retry_queue");
  CHECK(db.query("select skytools.renew_retry_queue()") == "0");
  CHECK(db.query(size) == "t");
  other.rollback();
  CHECK(db.query("select skytools.renew_retry_queue()") == "0");
  CHECK(db.query(size) == "f");
  CHECK(db.query(operation) == "0");
  CHECK(db.query("select sum(ev_id), count(*), min(length(ev_data)) from pgq.retry_queue") == "6|3|100");
  // an older snapshot finds nothing to move, and adds nothing twice
  CHECK(older.ask("select pgq.maint_retry_events()") == "0");
  CHECK(older.sqlstate_of(add, 3) == "23505");
  CHECK(db.query("select pgq.maint_retry_events()") == "3");

  // nor does the renewal lose what it does not see
  older.rollback();
  older.ask("select count(*) from pgq.retry_queue");
  db.query(
      "select pgq.event_retry_raw('q', 'c', now(), 4, now(), 1, 't', repeat('x', 4000000), null, null, null, null)");
  older.ask("select skytools.renew_retry_queue()");
  older.commit();
  CHECK(db.query("select ev_id from pgq.retry_queue") == "4");

  // so much waiting text is not copied
  const std::string file = "select pg_relation_filenode('pgq.retry_queue')";
  const std::string small = db.query(file);
  db.query("select skytools.renew_retry_queue()");
  const std::string large = db.query(file);
  CHECK(large != small);
  db.query(
      "select pgq.event_retry_raw('q', 'c', now(), n, now(), 1, 't', 'd', null, repeat('x', 4000000), null, null) from "
      "generate_series(5, 8) n");
  db.query("select skytools.renew_retry_queue()");
  CHECK(db.query(file) == large);

  // so many waiting rows are no bloat
  db.query(
      "select pgq.event_retry_raw('q', 'c', now(), n, now(), 1, 't', repeat('x', 100), null, null, null, null) from "
      "generate_series(10, 20000) n");
  const std::string before = db.query(file);
  db.query("select skytools.renew_retry_queue()");
  CHECK(db.query(file) == before);
}
