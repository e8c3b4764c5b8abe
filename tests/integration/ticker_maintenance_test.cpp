// What the ticker does beside ticks: rotation, vacuum, retry events; and the rights it needs.
#include <doctest/doctest.h>

#include "tests/support/ticker.h"

using namespace skytools;
using namespace skytools::test;
using namespace std::chrono_literals;

TEST_CASE("a failing operation holds up no other, and VACUUM is one of them") {
  Queues db({"a", "b"});
  REQUIRE(db.query("show autovacuum") == "off");
  db.query(
      "create table public.ran (queue text);"
      "create function public.good(q text) returns int language sql as 'insert into ran values (q) returning 0';"
      "create function public.thrice(q text) returns bigint language sql as"
      " 'insert into ran values (''again''); select 3 - count(*) from ran where queue = ''again''';"
      "create function public.bad(q text) returns int language plpgsql as 'begin raise ''spoiled''; end';"
      "update pgq.queue set queue_extra_maint = '{public.bad,public.good,public.thrice}' where queue_name = 'a';"
      // The rotation of the other one cannot be done: its transaction id lies in the future.
      "update pgq.queue set queue_switch_time = now() - interval '1 day';"
      "update pgq.queue set queue_switch_step1 = 9000000000 where queue_name = 'b'");
  Background ticker(ticker_args(db, {"--stats-period", "1s"}));
  CHECK(soon_logged(ticker, "maint: 1, retry: 0}"));
  CHECK(ticker.logged("maint failure"));
  CHECK(ticker.logged("spoiled"));
  CHECK(db.query("select queue_cur_table, queue_switch_step2 is not null from pgq.queue where queue_name = 'a'") ==
        "1|t");
  CHECK(db.query("select queue, count(*) from ran group by 1 order by 1") == "a|1\nagain|3");
  CHECK(soon([&] {
    return std::stoi(db.query("select count(*) from pg_stat_user_tables where schemaname = 'pgq' and vacuum_count > 0"
                              " and relname in ('subscription', 'consumer', 'queue', 'tick', 'retry_queue')")) == 5;
  }));
}

TEST_CASE("due retry events come back") {
  Queues db;
  db.query("select pgq.register_consumer('q', 'c')");
  for (int i = 0; i < 25; ++i) db.insert();
  Background ticker(ticker_args(db, {"--retry-period", "200ms"}));
  std::string batch;
  REQUIRE(soon([&] { return (batch = db.query("select pgq.next_batch('q', 'c')")) != "NULL"; }));
  std::string delivered = db.query("select count(*) from pgq.get_batch_events(" + batch + ")");
  CHECK(db.query("select pgq.batch_retry(" + batch + ", 0)") == delivered);
  db.query("select pgq.finish_batch(" + batch + ")");
  CHECK(soon([&] { return db.query("select count(*) from pgq.event_1 where ev_retry = 1") == delivered; }));
  CHECK(db.query("select count(*) from pgq.retry_queue") == "0");
}

TEST_CASE("a member of pgq_admin may do all of it but VACUUM") {
  Queues db;
  db.query("create role ticker_user login in role pgq_admin");
  db.query("update pgq.queue set queue_switch_time = now() - interval '1 day'");
  {
    Background ticker(
        {"ticker", "--db", pg::with_keyword(db.conninfo(), "user", "ticker_user"), "--retry-period", "200ms"});
    REQUIRE(soon_logged(ticker, "ticking"));
    pg::Connection c("producer", db.conninfo());
    pg::Transaction tx(c);  // its event is a late one
    tx.exec("select pgq.insert_event('q', 't', 'd')");
    std::int64_t before = db.ticks();
    CHECK(soon([&] { return db.ticks() > before; }));
    tx.commit();
    CHECK(db.soon_covered());
    CHECK(soon(
        [&] { return db.query("select queue_cur_table, queue_switch_step2 is not null from pgq.queue") == "1|t"; }));
    CHECK(ticker.stop() == 0);
    CHECK_FALSE(ticker.logged("permission denied for"));
  }
  db.query("drop role ticker_user");
}
