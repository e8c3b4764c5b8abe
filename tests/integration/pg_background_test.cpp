// Work on a transaction in a thread of its own: order, errors, and every way out of it.
#include <doctest/doctest.h>

#include <future>

#include "core/pg/pipeline.h"
#include "tests/support/cluster.h"
#include "tests/support/moment.h"

using namespace skytools;
using std::chrono::seconds;
using test::Database;

namespace {

/// A table and a connection on which nothing takes longer than 10 s.
struct Stage {
  Database db;
  StopToken stop;
  pg::Connection c{"db", db.conninfo(), {.statement_timeout = seconds(10), .stop = &stop}};
  Stage() { db.query("create table t (a int primary key)"); }
};

}  // namespace

TEST_CASE("the caller goes on, and its next statement comes after the work") {
  Stage s;
  pg::Transaction tx(s.c);
  std::promise<void> caller;
  tx.background([&tx, went_on = caller.get_future()]() mutable {
    if (went_on.wait_for(seconds(10)) != std::future_status::ready) throw Error("the caller waits for us");
    tx.exec("insert into t values (1)");
    tx.exec("insert into t select a + 1 from t");
  });
  caller.set_value();
  CHECK(tx.value<int>("select count(*) from t") == 2);
  tx.background([&tx] { tx.exec("insert into t select a + 2 from t"); });
  tx.background([&tx] { tx.exec("insert into t select a + 4 from t"); });
  tx.commit();
  CHECK(s.db.query("select count(*), max(a) from t") == "8|8");
}

TEST_CASE("an error of the work comes up in what the caller does next, once") {
  using Next = void (*)(pg::Transaction&);
  for (Next next :
       {Next([](pg::Transaction& tx) { tx.exec("select 1"); }),
        Next([](pg::Transaction& tx) { pg::Pipeline pipe(tx); }),
        Next([](pg::Transaction& tx) { tx.background([] {}); }), Next([](pg::Transaction& tx) { tx.settle(); }),
        Next([](pg::Transaction& tx) { tx.commit(); }), Next([](pg::Transaction& tx) { tx.rollback(); })}) {
    Stage s;
    pg::Transaction tx(s.c);
    tx.background([&tx] {
      pg::Pipeline pipe(tx);
      pipe.exec("insert into t values (1)", {}, 1);
      pipe.exec("insert into t values (1)", {}, 2);
      pipe.sync();
    });
    std::int64_t tag = 0;
    try {
      next(tx);
    } catch (const pg::PipelineError& e) {
      tag = e.tag();
    }
    CHECK(tag == 2);
    tx.settle();
    tx.rollback();
    CHECK_FALSE(s.c.lost());
    CHECK(s.db.query("select count(*) from t") == "0");
  }
}

TEST_CASE("a transaction that is given up waits for its work and takes it back") {
  Stage s;
  {
    pg::Transaction tx(s.c);
    SUBCASE("work that succeeds") {
      tx.background([&tx] { tx.exec("insert into t select 1 from pg_sleep(0.05)"); });
    }
    SUBCASE("work that fails") {
      tx.background([&tx] { tx.exec("insert into t select 1 / (a - a) from pg_sleep(0.05) as a(a)"); });
    }
  }
  CHECK_FALSE(s.c.lost());
  pg::Transaction again(s.c);
  CHECK(again.value<int>("select count(*) from t") == 0);
}

TEST_CASE("a cancel ends the work and whoever waits for it at once") {
  Stage s;
  auto start = Clock::now();
  {
    pg::Transaction tx(s.c);
    test::When cancel(test::backend_sleeps(s.db.conninfo(), s.c.backend_pid()), [&] { s.stop.cancel(); });
    tx.background([&tx] { tx.exec("select pg_sleep(30)"); });
    SUBCASE("waiting") { CHECK_THROWS_AS(tx.settle(), Stopped); }
    SUBCASE("giving up") {}
  }
  CHECK(Clock::now() - start < seconds(5));
}
