// The program: options, start and end, servers and databases that come and go.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "tests/support/ticker.h"

using namespace skytools;
using namespace skytools::test;
using namespace std::chrono_literals;

TEST_CASE("--once does what is due and ends") {
  Queues db;
  db.calm();
  db.insert();
  db.query("update pgq.queue set queue_switch_time = now() - interval '1 day'");
  auto out = run_skytools(ticker_args(db, {"--once"}));
  CHECK(out.exit == 0);
  CHECK(out.out == "");
  CHECK(db.covered());
  CHECK(db.query("select queue_cur_table, queue_switch_step2 is not null from pgq.queue") == "1|t");
  std::int64_t ticks = db.ticks();
  CHECK(run_skytools(ticker_args(db, {"--once"})).exit == 0);
  CHECK(db.ticks() == ticks);
}

TEST_CASE("--dry-run shows the statements and changes nothing") {
  Queues db;
  db.calm();
  db.insert();
  std::int64_t ticks = db.ticks();
  auto out = run_skytools(ticker_args(db, {"--dry-run"}));
  CHECK(out.exit == 0);
  CHECK(out.out.find("select skytools.tick('q', interval '0 ms')") != std::string::npos);
  CHECK(out.out.find("vacuum \"pgq\".\"tick\"") != std::string::npos);
  CHECK(db.ticks() == ticks);
  // the database is named, also where the connection string does not do it
  std::string host = db.conninfo();
  host = host.substr(host.find("host=") + std::string("host=").size());
  host = host.substr(0, host.find(' '));
  out = run_skytools({"ticker", "--dry-run", "--json"},
                     {.env = {{"PGHOST", host}, {"PGUSER", "postgres"}, {"PGDATABASE", db.name()}}});
  INFO(out.out << out.err);
  CHECK(out.out.find("{\"database\": \"" + db.name() + "\", \"sql\"") != std::string::npos);
}

TEST_CASE("what is wrong at the start ends with the right exit code and one line") {
  Database empty;
  auto expect = [](const std::vector<std::string>& args, int exit, const std::string& text) {
    auto out = run_skytools(args);
    INFO(out.err);
    CHECK(out.exit == exit);
    CHECK(out.err.find(text) != std::string::npos);
    CHECK(std::count(out.err.begin(), out.err.end(), '\n') == 1);
  };
  for (const char* once : {"--once", "--maint-period=1m"}) {
    expect({"ticker", "--db", server().conninfo("no_such_db"), once}, 4, "database \"no_such_db\" does not exist");
    expect(ticker_args(empty, {once}), 6, "skytools install");
  }
  expect({"ticker", "--db", "host='x"}, 2, "connection string");
  expect(ticker_args(empty, {"--ticker-period", "soon"}), 2, "ticker_period");
}

TEST_CASE("ticking resumes within seconds after its session was ended") {
  Queues db;
  Background ticker(ticker_args(db));
  REQUIRE(soon_logged(ticker, "ticking"));
  for (int i = 0; i < 2; ++i) {
    REQUIRE(
        db.query("select count(pg_terminate_backend(pid)) > 0 from pg_stat_activity where datname = current_database()"
                 " and application_name = 'skytools ticker'") == "t");
    auto start = Clock::now();
    db.insert();
    CHECK(db.soon_covered());
    CHECK(Clock::now() - start < 5s);
  }
  CHECK(ticker.stop() == 0);
}

TEST_CASE("a restarted or crashed server, and a standby after its promotion, are ticked") {
  run::ThrowawayServer own({.wal_level = "replica"});
  Queues db({"q"}, own);
  Background ticker(ticker_args(db));
  REQUIRE(soon_logged(ticker, "ticking"));
  own.restart();
  db.insert();
  CHECK(db.soon_covered());
  own.crash();
  own.start();
  db.insert();
  CHECK(db.soon_covered());

  own.stop();
  std::ofstream(own.data() / "standby.signal");
  own.start();
  REQUIRE(db.query("select pg_is_in_recovery()") == "t");
  CHECK(soon_logged(ticker, "standby"));
  CHECK(db.query("select pg_promote()") == "t");
  db.insert();
  CHECK(db.soon_covered());
  CHECK(ticker.stop() == 0);
}

TEST_CASE("of two tickers one stands by and takes over") {
  Queues db;
  Background first(ticker_args(db));
  REQUIRE(soon_logged(first, "ticking"));
  Background second(ticker_args(db));
  REQUIRE(soon_logged(second, "standing by"));
  db.insert();
  CHECK(db.soon_covered());
  CHECK_FALSE(second.logged("ticking"));
  CHECK(run_skytools(ticker_args(db, {"--once"})).exit == 0);  // nothing to do for a third one
  first.kill();
  CHECK(soon_logged(second, "ticking"));
  db.insert();
  CHECK(db.soon_covered());
  CHECK(second.stop() == 0);
}

TEST_CASE("several databases: a missing one holds up no other and is found when it comes") {
  Queues one;
  Database later;
  Background ticker({"ticker", "--db", one.conninfo(), "--db", server().conninfo("no_such_db"), "--db",
                     later.conninfo(), "--check-period", "500ms"});
  one.insert();
  CHECK(one.soon_covered());
  CHECK(soon_logged(ticker, "no_such_db"));
  CHECK(soon_logged(ticker, "the schema pgq is missing"));
  install_pgq(later.conninfo());
  later.query("select pgq.create_queue('q')");
  later.query("select pgq.insert_event('q', 't', 'd')");
  CHECK(soon([&] { return later.query("select count(*) > 1 from pgq.tick") == "t"; }));
  CHECK(ticker.stop() == 0);
}

TEST_CASE("--discover finds databases that come, and lets go of those that vanish") {
  Queues first;
  Database without;
  Background ticker({"ticker", "--db", server().conninfo("postgres"), "--discover", "--check-period", "500ms"});
  first.insert();
  CHECK(first.soon_covered());
  {
    Queues second;
    CHECK(soon_logged(ticker, "db=" + second.name()));
    second.insert();
    CHECK(second.soon_covered());
  }
  CHECK(soon_logged(ticker, "no longer served"));
  CHECK_FALSE(ticker.logged("ticking db=" + without.name()));
  CHECK(ticker.stop() == 0);
}

TEST_CASE("the statistics keep the original's shape") {
  Queues db;
  Background ticker(ticker_args(db, {"--stats-period", "300ms", "-v"}));
  CHECK(soon_logged(ticker, "{ticks: "));
  CHECK(soon_logged(ticker, ", retry: 0} databases=1 serving=1 errors=0"));
  CHECK(soon_logged(ticker, "state=serving"));
}
