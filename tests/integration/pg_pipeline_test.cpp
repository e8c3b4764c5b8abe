#include <doctest/doctest.h>

#include <csignal>

#include "core/pg/pipeline.h"
#include "tests/support/cluster.h"
#include "tests/support/memory.h"
#include "tests/support/moment.h"
#include "tests/support/relay.h"

using namespace skytools;
using test::Database;
using test::Relay;

namespace {
using Values = std::vector<const char*>;
constexpr std::int64_t kMegabyte = 1 << 20;
}  // namespace

TEST_CASE("100000 statements run in order, in little memory") {
  Database db;
  db.query("create table t (n serial, a int)");
  pg::Connection c("db", db.conninfo());
  pg::Transaction tx(c);
  std::int64_t before = test::reset_memory_peak(), rows = 0, last_tag = -1;
  {
    pg::Pipeline pipe(tx);
    pipe.on_affected = [&](std::int64_t tag, std::int64_t n) {
      CHECK(tag == last_tag + 1);
      last_tag = tag;
      rows += n;
    };
    pipe.prepare("ins", "insert into t (a) values ($1)", -1);
    for (int i = 0; i < 100'000; ++i) pipe.run("ins", Values{std::to_string(i).c_str()}, i);
    pipe.sync();
    CHECK(pipe.sent() == 100'001);
  }
  CHECK(rows == 100'000);
  CHECK(test::memory_peak() - before < 8 * kMegabyte + test::kMemorySlack);
  tx.commit();
  CHECK(db.query("select count(*), count(*) filter (where a = n - 1) from t") == "100000|100000");
}

TEST_CASE("an error in the middle names its statement, and nothing of it is committed") {
  Database db;
  db.query("create table t (a int primary key)");
  pg::Connection c("db", db.conninfo());
  for (int bad : {0, 1, 700, 4'999}) {
    CAPTURE(bad);
    pg::Transaction tx(c);
    std::int64_t tag = -1;
    try {
      pg::Pipeline pipe(tx);
      pipe.prepare("ins" + std::to_string(bad), "insert into t values ($1)", -1);
      for (int i = 0; i < 5'000; ++i)
        pipe.run("ins" + std::to_string(bad), Values{i == bad ? "not a number" : std::to_string(i).c_str()}, i);
      pipe.sync();
    } catch (const pg::PipelineError& e) {
      tag = e.tag();
      CHECK(e.sqlstate() == "22P02");
    }
    CHECK(tag == bad);
    CHECK_FALSE(c.lost());
    CHECK_THROWS_AS(tx.commit(), pg::SqlError);  // answers ROLLBACK
    pg::Transaction again(c);
    CHECK(again.value<int>("select count(*) from t") == 0);
  }
}

TEST_CASE("a statement that cannot be prepared is reported with its tag") {
  Database db;
  pg::Connection c("db", db.conninfo());
  pg::Transaction tx(c);
  std::int64_t tag = -1;
  try {
    pg::Pipeline pipe(tx);
    pipe.exec("select 1", {}, 1);
    pipe.prepare("p", "insert into missing values ($1)", 2);
    pipe.run("p", Values{"1"}, 3);
    pipe.sync();
  } catch (const pg::PipelineError& e) {
    tag = e.tag();
    CHECK(e.sqlstate() == "42P01");
  }
  CHECK(tag == 2);
}

TEST_CASE("prepared statements and the connection outlive a pipeline; NULL, empty and 5 MB values arrive") {
  Database db;
  db.query("create table t (a text)");
  pg::Connection c("db", db.conninfo());
  pg::Transaction tx(c);
  std::string big(5 * kMegabyte, 'x');
  {
    pg::Pipeline pipe(tx);
    pipe.prepare("ins", "insert into t values ($1)", 0);
    pipe.run("ins", Values{nullptr}, 1);
    pipe.sync();
    pipe.sync();  // nothing to wait for
  }
  CHECK(tx.value<int>("select count(*) from t") == 1);
  {
    pg::Pipeline pipe(tx);
    pipe.run("ins", Values{""}, 2);
    for (int i = 0; i < 4; ++i) pipe.run("ins", Values{big.c_str()}, 3);
    pipe.sync();
  }
  tx.commit();
  CHECK(db.query("select count(*), count(a), sum(length(a)) from t") == "6|5|" + std::to_string(4 * big.size()));
}

TEST_CASE("a server that reads slowly and answers much does not deadlock or fill the memory") {
  Database db;
  Relay relay(db.conninfo());
  pg::Connection c("db", relay.conninfo());
  relay.limit(20 * kMegabyte);
  pg::Transaction tx(c);
  std::int64_t before = test::reset_memory_peak();
  std::string parameter(20'000, 'x');
  {
    pg::Pipeline pipe(tx);
    pipe.prepare("echo", "select $1::text", 0);
    for (int i = 0; i < 2'000; ++i) pipe.run("echo", Values{parameter.c_str()}, i);
    pipe.sync();
  }
  CHECK(relay.to_server() > 2'000 * 20'000);
  CHECK(relay.to_client() > 2'000 * 20'000);
  CHECK(test::memory_peak() - before < 16 * kMegabyte + test::kMemorySlack);
}

TEST_CASE("a round trip of 20 ms is paid per pipeline, not per statement") {
  Database db;
  db.query("create table t (a int)");
  Relay relay(db.conninfo());
  pg::Connection c("db", relay.conninfo());
  relay.delay(milliseconds(10));
  pg::Transaction tx(c);
  auto start = Clock::now();
  {
    pg::Pipeline pipe(tx);
    for (int i = 0; i < 1'000; ++i) pipe.exec("insert into t values (1)", {}, i);
    pipe.sync();
  }
  CHECK(Clock::now() - start < std::chrono::seconds(5));  // one by one it would be 20 s
}

TEST_CASE("while a pipeline is open nothing else runs on the connection") {
  Database db;
  pg::Connection c("db", db.conninfo());
  pg::Transaction tx(c);
  {
    pg::Pipeline pipe(tx);
    pipe.exec("select 1", {}, 1);
    CHECK_THROWS_AS(tx.exec("select 2"), Error);
    CHECK_THROWS_AS(tx.commit(), Error);
    CHECK_THROWS_AS(pg::Pipeline{tx}, Error);
    pipe.sync();
  }
  CHECK(tx.value<int>("select 2") == 2);
}

TEST_CASE("COPY is refused in a pipeline") {
  Database db;
  pg::Connection c("db", db.conninfo());
  pg::Transaction tx(c);
  CHECK_THROWS_WITH_AS(([&] {
                         pg::Pipeline pipe(tx);
                         pipe.exec("copy (select 1) to stdout", {}, 1);
                         pipe.sync();
                       }()),
                       doctest::Contains("COPY cannot run in a pipeline"), Error);
}

TEST_CASE("a link that breaks under a pipeline is an error, not a hang") {
  Database db;
  db.query("create table t (a int)");
  Relay relay(db.conninfo());
  pg::Connection c("db", relay.conninfo());
  pg::Transaction tx(c);
  std::int64_t sent = 0;
  try {
    pg::Pipeline pipe(tx);
    pipe.prepare("ins", "insert into t values ($1)", 0);
    for (; sent < 1'000'000; ++sent) {
      if (sent == 10'000) relay.cut();
      pipe.run("ins", Values{"1"}, sent);
    }
    pipe.sync();
    FAIL("no error");
  } catch (const pg::SqlError& e) {
    CHECK(e.connection_lost());
  }
  CHECK(sent < 1'000'000);
  CHECK(c.lost());
}

TEST_CASE("a server crash under a pipeline is an error, not a hang") {
  run::ThrowawayServer own;
  pg::Connection c("db", own.conninfo("postgres"));
  pg::Transaction tx(c);
  test::When crash(test::backend_sleeps(own.conninfo("postgres"), c.backend_pid()),
                   [pid = own.pid()] { kill(pid, SIGQUIT); });
  try {
    pg::Pipeline pipe(tx);
    for (int i = 0; i < 100; ++i) pipe.exec("select pg_sleep(0.1)", {}, i);
    pipe.sync();
    FAIL("no error");
  } catch (const pg::SqlError& e) {
    CHECK(e.connection_lost());
  }
  CHECK(c.lost());
}

TEST_CASE("cancel ends a waiting pipeline at once") {
  Database db;
  StopToken stop;
  pg::Connection c("db", db.conninfo(), {.stop = &stop});
  pg::Transaction tx(c);
  test::When cancel(test::backend_sleeps(db.conninfo(), c.backend_pid()), [&] { stop.cancel(); });
  auto start = Clock::now();
  CHECK_THROWS_AS(([&] {
                    pg::Pipeline pipe(tx);
                    pipe.exec("select pg_sleep(30)", {}, 1);
                    pipe.sync();
                  }()),
                  Stopped);
  CHECK(Clock::now() - start < std::chrono::seconds(2));
}

TEST_CASE("a pipeline whose answers stop coming ends at the statement timeout") {
  Database db;
  Relay relay(db.conninfo());
  pg::Connection c("db", relay.conninfo(), {.statement_timeout = milliseconds(200)});
  pg::Transaction tx(c);
  CHECK_THROWS_AS(([&] {
                    pg::Pipeline pipe(tx);
                    pipe.exec("select 1", {}, 1);
                    relay.stall();
                    pipe.sync();
                  }()),
                  TimedOut);
  CHECK(c.lost());
}
