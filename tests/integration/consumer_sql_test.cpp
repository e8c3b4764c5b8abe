// `skytools consumer run --sql`: parameters, failing events, exactly once across crashes.
#include <doctest/doctest.h>

#include "tests/support/consumer.h"

using namespace skytools;
using test::failing;
using test::QueueWorld;

namespace {

constexpr const char* kInsert = "insert into got values ($4, $1)";

struct SqlWorld : QueueWorld {
  SqlWorld() { query("create table got (id bigint, data text)"); }
  std::string got() const { return query("select coalesce(string_agg(data, ',' order by id), '') from got"); }
};

/// Another database with a table for what arrives.
struct Target {
  test::Database db;
  explicit Target(bool with_ext) {
    if (!with_ext) db.query("drop schema pgq_ext cascade");
    db.query("create table got (id bigint, data text check (data <> '3'))");
  }
  std::string got() const { return db.query("select coalesce(string_agg(data, ',' order by id), '') from got"); }
};

bool killed(const test::Output& o) { return o.exit == 128 + 9; }

}  // namespace

TEST_CASE("parameters stand for columns, with the types the statement gives them") {
  SqlWorld w;
  w.query(
      "create table all_columns (data jsonb, type text, e1 text, id int, at timestamptz, retry int, e2 date, e3 text, "
      "e4 text)");
  w.query("select pgq.insert_event('q', 'kind', '{\"a\": 1}', 'one', '2026-01-02', null, '$5')");
  w.tick();
  w.drain("run", {"--sql", "insert into all_columns values ($1::jsonb, $2, $3, $4, $5, $6, $7, $8, $9)"});
  CHECK(w.query("select data->>'a', type, e1, id, retry, e2, e3, e4 from all_columns") ==
        "1|kind|one|1|NULL|2026-01-02|NULL|$5");
  CHECK(w.query("select at = ev_time from all_columns, pgq.event_template where ev_id = 1") == "t");
  w.batch(1);
  w.drain("run",
          {"--sql",
           "insert into got select $4::bigint, '$1 ' || $2::text || $$ $3 $$ /* $6 */ where $4::bigint > 0 -- $9"});
  CHECK(w.got() == "$1 t $3 ");
  test::Output o = w.run("run", {"--once", "--sql", "select $10"});
  CHECK(o.exit == 2);
  CHECK(o.err.find("there is no parameter $10") != std::string::npos);
  CHECK(w.run("run", {"--once", "--sql", "selec 1"}).err.find("the statement cannot be prepared") != std::string::npos);
}

TEST_CASE("what fails is answered as on_error says, the rest of the batch stays") {
  SqlWorld w;
  w.query("alter table got add check (data not in ('3', '4', '9'))");
  std::string numbers = "1,2,5,6,7,8,10,11,12";
  SUBCASE("retry, up to the queue's limit") {
    w.query("select skytools.set_queue_policy('q', 'retry_limit', '1')");
    w.batch(12);
    test::Output o = w.drain("run", {"--sql", kInsert});
    CHECK(o.err.find("violates check constraint") != std::string::npos);
    CHECK(o.err.find("event=3") != std::string::npos);
    CHECK(o.err.find("count=12 batches=1 retry=3") != std::string::npos);
    CHECK(w.query("select string_agg(ev_id::text, ',' order by ev_id) from pgq.retry_queue") == "3,4,9");
    w.retries_come_back();
    w.drain("run", {"--sql", kInsert});
    CHECK(w.query("select string_agg(ev_id::text, ',' order by ev_id) from skytools.dead_list('q', 'c')") == "3,4,9");
    CHECK(w.query("select count(*) from pgq.retry_queue") == "0");
  }
  SUBCASE("dead at once") {
    w.batch(12);
    w.drain("run", {"--sql", kInsert, "--on-error", "dead"});
    CHECK(w.query("select count(*) from skytools.dead_list('q', 'c') where reason ~ 'check constraint.*23514'") == "3");
  }
  SUBCASE("stop: nothing of the batch stays, the event is shown") {
    w.batch(12);
    test::Output o = w.run("run", {"--once", "--sql", kInsert, "--on-error", "stop"});
    CHECK(o.exit == 1);
    CHECK(o.err.find("event 3 failed: [db") != std::string::npos);
    CHECK(o.err.find("{\"id\": 3, ") != std::string::npos);
    CHECK(w.query("select sub_batch is not null from pgq.subscription") == "t");
    numbers = "";
  }
  CHECK(w.got() == numbers);
}

TEST_CASE("a large batch with many failures") {
  SqlWorld w;
  w.query("alter table got add check (id % 7 <> 0)");
  w.batch(5000);
  w.drain("run", {"--sql", kInsert, "--on-error", "dead"});
  CHECK(w.query("select count(*), count(distinct id) from got") == "4286|4286");
  CHECK(w.query("select count(*) from skytools.dead_list('q', 'c')") == "714");
}

TEST_CASE("in the queue's own database each event takes effect once, whenever it is killed") {
  SqlWorld w;
  for (const char* point : {"consumer.after_next", "consumer.before_target_commit", "consumer.after_target_commit",
                            "consumer.before_finish", "consumer.after_finish"}) {
    CAPTURE(point);
    w.query("truncate got");
    w.batch(5);
    // --target leads to the same place and must make no difference.
    CHECK(killed(
        w.run("run", {"--once", "--sql", kInsert, "--target", w.conninfo()}, failing(std::string(point) + "=crash"))));
    w.drain("run", {"--sql", kInsert});
    CHECK(w.got() == "1,2,3,4,5");
  }
}

TEST_CASE("in another database pgq_ext remembers the batch: once, and no answer is lost") {
  SqlWorld w;
  Target t(true);
  for (const char* point : {"consumer.after_next", "consumer.before_target_commit", "consumer.after_target_commit",
                            "consumer.before_finish", "consumer.after_finish"}) {
    CAPTURE(point);
    t.db.query("truncate got");
    w.query("delete from pgq.retry_queue");
    w.batch(5);
    CHECK(killed(w.run("run", {"--once", "--sql", kInsert, "--target", t.db.conninfo()},
                       failing(std::string(point) + "=crash"))));
    w.drain("run", {"--sql", kInsert, "--target", t.db.conninfo()});
    CHECK(t.got() == "1,2,4,5");
    CHECK(w.query("select count(*) from pgq.retry_queue") == "1");
  }
}

TEST_CASE("without pgq_ext it says that a batch may be repeated, or refuses") {
  SqlWorld w;
  Target t(false);
  w.batch(2);
  test::Output o = w.run("run", {"--once", "--sql", kInsert, "--target", t.db.conninfo(), "--tracking", "pgq_ext"});
  CHECK(o.exit == 6);
  CHECK(o.err.find("skytools install pgq_ext") != std::string::npos);
  o = w.drain("run", {"--sql", kInsert, "--target", t.db.conninfo()});
  CHECK(o.err.find("the target has no schema pgq_ext") != std::string::npos);
  CHECK(t.got() == "1,2");
}

TEST_CASE("two of the same name at once apply a batch once") {
  SqlWorld w;
  Target t(true);
  w.batch(1);
  std::vector<std::string> args{"--once", "--target", t.db.conninfo(), "--sql",
                                "insert into got select $4::bigint, $1::text from pg_sleep(1)"};
  test::Background other(w.command("run", args));
  CHECK(test::eventually(std::chrono::seconds(20), [&] {
    return t.db.query(
               "select count(*) from pg_stat_activity where datname = current_database()"
               " and wait_event = 'PgSleep'") == "1";
  }));
  CHECK(w.run("run", args).exit == 0);
  CHECK(other.wait(std::chrono::seconds(20)) == 0);
  CHECK(t.got() == "1");
}

TEST_CASE("a batch of the same id and consumer, but of another database, is not taken for done") {
  SqlWorld one, two;
  Target t(true);
  for (SqlWorld* w : {&one, &two}) {
    w->batch(1);
    w->drain("run", {"--sql", kInsert, "--target", t.db.conninfo()});
  }
  CHECK(t.got() == "1,1");
}

TEST_CASE("a target in the same database keeps its settings") {
  SqlWorld w;
  w.query("create schema app; create table app.mine (data text)");
  w.batch(1);
  w.drain("run", {"--sql", "insert into mine values ($1)", "--target", w.conninfo() + " options='-c search_path=app'"});
  CHECK(w.query("select count(*) from app.mine") == "1");
}

TEST_CASE("each transaction brings its statement along, as behind a transaction pooler") {
  SqlWorld w;
  // What the next session of a pooler looks like: nothing that was prepared is there.
  w.query("create function forget() returns void language plpgsql as $$ begin deallocate all; end $$");
  w.batch(1);
  w.batch(2);
  w.drain("run", {"--sql", "insert into got select $4::bigint, $1::text from forget()", "--on-error", "stop"});
  CHECK(w.got() == "1,1,2");
}
