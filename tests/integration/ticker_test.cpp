#include <doctest/doctest.h>

#include <fstream>
#include <iostream>

#include "core/base/strings.h"
#include "core/schema/install.h"
#include "core/ticker/tick_loop.h"
#include "tests/support/cluster.h"

using namespace skytools;
using namespace skytools::test;
using namespace std::chrono_literals;

namespace {

constexpr milliseconds kPatience = 20s;

void install(const std::string& conninfo) {
  pg::Connection c("test", conninfo);
  schema::install(c, {.modules = {"pgq"}});
}

/// A database with the schema and some queues.
struct Queues : Database {
  explicit Queues(std::initializer_list<const char*> names = {"q"}, run::ThrowawayServer& on = server())
      : Database(on) {
    install(conninfo());
    for (auto name : names) query("select pgq.create_queue('" + std::string(name) + "')");
  }
  std::string insert(const std::string& queue = "q") const {
    return query("select pgq.insert_event('" + queue + "', 't', 'd')");
  }
  std::int64_t ticks(const std::string& queue = "q") const {
    return std::stoll(query(
        "select count(*) from pgq.tick join pgq.queue on queue_id = tick_queue where queue_name = '" + queue + "'"));
  }
  /// Is everything that has been committed to the queue covered by its newest tick?
  bool covered(const std::string& queue = "q") const {
    std::string table =
        query("select pgq.quote_fqname(queue_data_pfx) from pgq.queue where queue_name = '" + queue + "'");
    return query("select not exists (select 1 from " + table +
                 " where not txid_visible_in_snapshot(ev_txid, (select tick_snapshot from pgq.tick"
                 " join pgq.queue on queue_id = tick_queue where queue_name = '" +
                 queue + "' order by tick_id desc limit 1)))") == "t";
  }
  bool soon_covered(const std::string& queue = "q") const {
    return eventually(kPatience, [&] { return covered(queue); });
  }
  int locks(int number) const {
    return std::stoi(
        query("select count(*) from pg_locks join pg_database d on d.oid = database and d.datname = current_database()"
              " where locktype = 'advisory' and granted and mode = 'ExclusiveLock'"
              "   and classid = 1397446516 and objid = " +
              std::to_string(number)));
  }
  bool asleep() const { return locks(3) == 1; }
  /// Pretends that the newest two ticks are that old.
  void age_ticks(const std::string& second_newest, const std::string& newest) const {
    query(
        "update pgq.tick t set tick_time = now() - case when tick_id = (select max(tick_id) from pgq.tick x where "
        "x.tick_queue = t.tick_queue)"
        " then interval '" +
        newest + "' else interval '" + second_newest + "' end");
  }
  /// No idle tick is due for an hour.
  void calm() const {
    query("update pgq.queue set queue_ticker_idle_period = '2 hours'");
    age_ticks("3 hours", "0 seconds");
  }
};

std::vector<std::string> ticker_args(const Database& db, std::vector<std::string> more = {}) {
  std::vector<std::string> args = {"ticker", "--db", db.conninfo()};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

bool soon(const std::function<bool()>& predicate) { return eventually(kPatience, predicate); }
bool soon_logged(Background& ticker, const std::string& text) {
  return soon([&] { return ticker.logged(text); });
}

}  // namespace

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
  install(later.conninfo());
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

TEST_CASE("the statistics keep the original's shape") {
  Queues db;
  Background ticker(ticker_args(db, {"--stats-period", "300ms", "-v"}));
  CHECK(soon_logged(ticker, "{ticks: "));
  CHECK(soon_logged(ticker, ", retry: 0} databases=1 serving=1 errors=0"));
  CHECK(soon_logged(ticker, "state=serving"));
}
