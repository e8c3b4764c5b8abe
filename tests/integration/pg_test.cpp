#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "core/pg/transaction.h"
#include "tests/support/cluster.h"
#include "tests/support/moment.h"
#include "tests/support/relay.h"

using namespace skytools;
using test::backend_sleeps, test::this_thread_waits, test::When;
using test::Database;
using test::Relay;

namespace {

milliseconds since(Clock::time_point start) { return std::chrono::duration_cast<milliseconds>(Clock::now() - start); }

/// The text of the error a call throws; empty when it throws none of that kind.
template <class E, class F>
std::string error_of(F&& call) {
  try {
    call();
  } catch (const E& e) {
    return e.what();
  }
  return "";
}

/// A TCP socket that accepts connections (by its backlog) and never says a word.
struct MuteServer {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  MuteServer() {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(listen(fd, 5) == 0);
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  }
  ~MuteServer() { close(fd); }
  std::string conninfo() const { return "host=127.0.0.1 dbname=x port=" + std::to_string(ntohs(address.sin_port)); }
};

}  // namespace

TEST_CASE("rows come back as typed tuples") {
  Database db;
  pg::Connection c("db", db.conninfo());
  pg::Transaction tx(c);
  auto [n, text, none] = tx.one<std::int64_t, std::string, std::optional<int>>("select $1::bigint, $2::text, $3::int",
                                                                               5, "é", std::nullopt);
  CHECK(n == 5);
  CHECK(text == "é");
  CHECK_FALSE(none.has_value());
  CHECK_THROWS_AS(tx.value<int>("select null::int"), Error);
  CHECK_THROWS_AS(tx.value<int>("select 1 where false"), Error);
  CHECK_THROWS_AS(tx.value<int>("select 1 from generate_series(1, 2)"), Error);
  CHECK_THROWS_AS(tx.one<int>("select 1, 2"), Error);
  CHECK(tx.exec("create table t (a int)").command_tag() == "CREATE TABLE");
  CHECK(tx.exec("insert into t select generate_series(1, 3)").affected() == 3);
  CHECK(tx.script("insert into t values (4); delete from t where a > 2").affected() == 2);
}

TEST_CASE("values of 5 MB go both ways") {
  Database db;
  pg::Connection c("db", db.conninfo());
  pg::Transaction tx(c);
  std::string big(5 << 20, 'x');
  big.replace(100, 2, "ß");
  CHECK(tx.value<std::string>("select $1::text || 'y'", big) == big + "y");
}

TEST_CASE("what is not committed is rolled back, also by an exception") {
  Database db;
  pg::Connection c("db", db.conninfo());
  {
    pg::Transaction tx(c);
    tx.exec("create table t (a int)");
    tx.commit();
  }
  try {
    pg::Transaction tx(c);
    tx.exec("insert into t values (1)");
    throw Error("something else");
  } catch (const Error&) {
  }
  pg::Transaction tx(c);
  tx.exec("insert into t values (2)");
  tx.rollback();
  tx.commit();  // nothing is open any more
  CHECK(db.query("select count(*) from t") == "0");
}

TEST_CASE("autocommit statements stand alone") {
  Database db;
  pg::Connection c("db", db.conninfo());
  pg::Transaction tx(c, pg::Mode::autocommit);
  tx.exec("create table t (a int)");
  CHECK(db.query("select count(*) from t") == "0");
  tx.exec("vacuum t");
}

TEST_CASE("a read-only transaction refuses to write, repeatable read keeps its view") {
  Database db;
  db.query("create table t as select 1 as a");
  pg::Connection c("db", db.conninfo());
  {
    pg::Transaction tx(c, pg::Mode::read_only);
    CHECK(error_of<pg::SqlError>([&] { tx.exec("delete from t"); }).find("(25006)") != std::string::npos);
  }
  pg::Transaction tx(c, pg::Mode::repeatable_read);
  CHECK(tx.value<int>("select count(*) from t") == 1);
  db.query("insert into t values (2)");
  CHECK(tx.value<int>("select count(*) from t") == 1);
}

TEST_CASE("an error names the connection, the text and the SQLSTATE") {
  Database db;
  pg::Connection c("source", db.conninfo());
  pg::Transaction tx(c);
  try {
    tx.exec("select * from missing");
    FAIL("no error");
  } catch (const pg::SqlError& e) {
    CHECK(e.sqlstate() == "42P01");
    CHECK(e.connection().starts_with("source "));
    CHECK(std::string(e.what()) == "[" + e.connection() + "] relation \"missing\" does not exist (42P01)");
    CHECK(e.position() == 15);
    CHECK_FALSE(e.connection_lost());
  }
  CHECK_FALSE(c.lost());
}

TEST_CASE("COMMIT of a failed transaction is an error") {
  Database db;
  pg::Connection c("db", db.conninfo());
  pg::Transaction tx(c);
  tx.exec("create table t ()");
  CHECK_THROWS_AS(tx.exec("select 1/0"), pg::SqlError);
  std::string said = error_of<pg::SqlError>([&] { tx.commit(); });
  CHECK(said.find("rolled back") != std::string::npos);
  CHECK_FALSE(c.lost());
  CHECK(db.query("select to_regclass('t') is null") == "t");
}

TEST_CASE("a constraint that fails at COMMIT is an ordinary error") {
  Database db;
  db.query("create table t (a int primary key deferrable initially deferred)");
  pg::Connection c("db", db.conninfo());
  pg::Transaction tx(c);
  tx.exec("insert into t values (1), (1)");
  try {
    tx.commit();
    FAIL("no error");
  } catch (const pg::CommitInDoubt&) {
    FAIL("not in doubt");
  } catch (const pg::SqlError& e) {
    CHECK(e.sqlstate() == "23505");
  }
  CHECK_FALSE(c.lost());
}

TEST_CASE("a stop request leaves a statement alone, cancel ends it at once") {
  Database db;
  StopToken stop;
  pg::Connection c("db", db.conninfo(), {.stop = &stop});
  db.query("create table t ()");
  pg::Transaction tx(c);
  tx.exec("lock table t");
  {
    When request(backend_sleeps(db.conninfo(), c.backend_pid()), [&] { stop.request(); });
    auto start = Clock::now();
    CHECK_NOTHROW(tx.exec("select pg_sleep(0.3)"));
    CHECK(since(start) >= milliseconds(300));
  }
  auto start = Clock::now();
  {
    When cancel(backend_sleeps(db.conninfo(), c.backend_pid()), [&] { stop.cancel(); });
    CHECK_THROWS_AS(tx.exec("select pg_sleep(30)"), Stopped);
  }
  CHECK(since(start) < milliseconds(1000));
  CHECK_THROWS_AS(tx.exec("select 1"), Stopped);  // nothing new begins
  CHECK_THROWS_AS(tx.commit(), Stopped);          // and nothing is in doubt
  tx.rollback();                                  // but locks can be given back
  CHECK_FALSE(c.lost());
  CHECK(db.query("select count(*) from pg_locks where mode = 'AccessExclusiveLock'") == "0");
}

TEST_CASE("a statement over its time is cancelled and the connection stays good") {
  Database db;
  pg::Connection c("db", db.conninfo(), {.statement_timeout = milliseconds(100)});
  auto start = Clock::now();
  {
    pg::Transaction tx(c);
    std::string said = error_of<TimedOut>([&] { tx.exec("select pg_sleep(30)"); });
    CHECK(said.find("longer than 100 ms") != std::string::npos);
  }
  CHECK(since(start) < milliseconds(2000));
  c.set_statement_timeout(milliseconds(0));
  for (int i = 0; i < 20; ++i) {
    pg::Transaction tx(c);
    CHECK(tx.value<int>("select 1 from pg_sleep(0.005)") == 1);  // a late cancel would end one of these
    tx.commit();
  }
}

TEST_CASE("a mute peer costs a statement its time and the cancel's, not for ever") {
  Database db;
  Relay relay(db.conninfo());
  pg::Connection c("db", relay.conninfo(), {.statement_timeout = milliseconds(100)});
  pg::Transaction tx(c);
  relay.stall();
  auto start = Clock::now();
  CHECK_THROWS_AS(tx.exec("select 1"), TimedOut);
  CHECK(since(start) < milliseconds(7000));
  CHECK(c.lost());
}

TEST_CASE("connecting to a mute server ends at its deadline, or at a stop request") {
  MuteServer mute;
  auto start = Clock::now();
  std::string said = error_of<pg::ConnectError>(
      [&] { pg::Connection("far", mute.conninfo(), {.connect_timeout = milliseconds(200)}); });
  CHECK(said.find("no answer within 200 ms") != std::string::npos);
  CHECK(said.starts_with("[far 127.0.0.1:"));
  CHECK(since(start) >= milliseconds(200));
  CHECK(since(start) < milliseconds(1000));
  StopToken stop;
  When request(this_thread_waits(), [&] { stop.request(); });
  start = Clock::now();
  CHECK_THROWS_AS(pg::Connection("far", mute.conninfo(), {.stop = &stop}), Stopped);
  CHECK(since(start) < milliseconds(1000));
}

TEST_CASE("no server, no database, no role: connect errors with one readable line") {
  auto& s = test::server();
  struct Row {
    std::string conninfo, says;
  };
  for (auto& [conninfo, says] :
       {Row{"host=127.0.0.1 port=1 dbname=x", "Connection refused"},
        Row{"host=/nowhere dbname=x", "No such file or directory"},
        Row{s.conninfo("missing_db"), "database \"missing_db\" does not exist"},
        Row{pg::with_keyword(s.conninfo("postgres"), "user", "nobody_here"), "role \"nobody_here\" does not exist"}}) {
    std::string said = error_of<pg::ConnectError>([&c = conninfo] { pg::Connection("db", c); });
    CAPTURE(said);
    CHECK(said.find(says) != std::string::npos);
    CHECK(said.find_first_of("\n\t") == std::string::npos);
    CHECK(said.find("Is the server") == std::string::npos);
  }
}

TEST_CASE("a refused password is a connect error, and no message tells the password") {
  run::ThrowawayServer own;
  test::query(own.conninfo("postgres"), "create role guest login password 'geheim1'");
  std::string hba = run::read_file(own.data() / "pg_hba.conf");
  std::ofstream(own.data() / "pg_hba.conf") << "local all guest scram-sha-256\n" << hba;
  test::query(own.conninfo("postgres"), "select pg_reload_conf()");
  std::string as_guest = pg::with_keyword(own.conninfo("postgres"), "user", "guest");
  REQUIRE(test::eventually(std::chrono::seconds(10), [&] {
    return !error_of<pg::ConnectError>([&] {
              pg::Connection("db", pg::with_keyword(as_guest, "password", "geheim2"));
            }).empty();
  }));
  std::string said =
      error_of<pg::ConnectError>([&] { pg::Connection("db", pg::with_keyword(as_guest, "password", "geheim2")); });
  CHECK(said.find("password authentication failed for user \"guest\"") != std::string::npos);
  CHECK(said.find("geheim") == std::string::npos);
  pg::Connection c("db", pg::with_keyword(as_guest, "password", "geheim1"));
  CHECK(c.label().find("geheim") == std::string::npos);
  CHECK(c.address().find("geheim") == std::string::npos);
  CHECK(c.address().find("guest") == std::string::npos);
}

TEST_CASE("a server crash during COMMIT is in doubt") {
  run::ThrowawayServer own;
  std::string conninfo = own.new_database("d");
  pg::Connection c("target", conninfo);
  // A deferred trigger keeps COMMIT busy long enough to be hit.
  test::query(
      conninfo,
      "create table t (a int);"
      "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(30); return null; end $$;"
      "create constraint trigger slow after insert on t deferrable initially deferred for each row execute function "
      "slow()");
  pg::Transaction tx(c);
  tx.exec("insert into t values (1)");
  When crash(backend_sleeps(conninfo, c.backend_pid()), [pid = own.pid()] { kill(pid, SIGQUIT); });
  CHECK_THROWS_AS(tx.commit(), pg::CommitInDoubt);
  CHECK(c.lost());
}

TEST_CASE("a link cut around COMMIT is in doubt, whatever happened behind it") {
  Database db;
  db.query("create table t (a text)");
  for (auto [when, arrived] : {std::pair{Relay::Trap::before, "0"}, {Relay::Trap::after, "1"}}) {
    Relay relay(db.conninfo());
    pg::Connection c("target", relay.conninfo());
    pg::Transaction tx(c);
    tx.exec("insert into t values ('x')");
    relay.trap("COMMIT", when);
    CHECK_THROWS_AS(tx.commit(), pg::CommitInDoubt);
    CHECK(c.lost());
    CHECK(db.query("select count(*) from t") == arrived);
  }
}

TEST_CASE("a link lost before COMMIT is no doubt: the work is gone") {
  Database db;
  pg::Connection c("target", db.conninfo());
  pg::Transaction tx(c);
  tx.exec("create table t ()");
  db.query("select pg_terminate_backend(" + std::to_string(c.backend_pid()) + ")");
  try {
    tx.exec("select 1");
    FAIL("no error");
  } catch (const pg::SqlError& e) {
    CHECK(e.connection_lost());
    CHECK(std::string(e.what()).find_first_of("\n\t") == std::string::npos);
  }
  CHECK(c.lost());
  try {
    tx.commit();
    FAIL("no error");
  } catch (const pg::CommitInDoubt&) {
    FAIL("not in doubt");
  } catch (const pg::SqlError& e) {
    CHECK(e.sqlstate() == "08003");
  }
}

TEST_CASE("notifications arrive while waiting and end the wait") {
  Database db;
  pg::Connection c("db", db.conninfo());
  REQUIRE(pg::listen(c, "Odd Channel"));
  CHECK(c.notifications().empty());
  When notify(this_thread_waits(), [&] { db.query("select pg_notify('Odd Channel', 'grüße')"); });
  auto start = Clock::now();
  std::vector<pg::Notification> got;
  while (got.empty() && since(start) < milliseconds(5000)) {
    CHECK(c.wait_readable(milliseconds(5000)));
    got = c.notifications();
  }
  CHECK(since(start) < milliseconds(3000));
  REQUIRE(got.size() == 1);
  CHECK(got[0].channel == "Odd Channel");
  CHECK(got[0].payload == "grüße");
}

TEST_CASE("a wait for notifications ends with a stop request") {
  Database db;
  StopToken stop;
  pg::Connection c("db", db.conninfo(), {.stop = &stop});
  When request(this_thread_waits(), [&] { stop.request(); });
  auto start = Clock::now();
  CHECK_FALSE(c.wait_readable(milliseconds(5000)));
  CHECK(since(start) < milliseconds(2000));
}

TEST_CASE("a wait for notifications ends with a lost link") {
  Database db;
  pg::Connection c("db", db.conninfo());
  db.query("select pg_terminate_backend(" + std::to_string(c.backend_pid()) + ")");
  // The server's last words come first, the end of the link some time later.
  bool noticed = false;
  for (int i = 0; i < 10 && !noticed; ++i) {
    CHECK(c.wait_readable(milliseconds(5000)));
    noticed = !error_of<pg::SqlError>([&] { c.notifications(); }).empty();
  }
  CHECK(noticed);
  CHECK(c.lost());
}

TEST_CASE("the server's crash and kill -9 lose nothing that was committed") {
  run::ThrowawayServer own;
  std::string conninfo = own.new_database("d");
  test::query(conninfo, "create table t (a int)");
  int rows = 0;
  for (auto end : {&run::ThrowawayServer::crash, &run::ThrowawayServer::kill9, &run::ThrowawayServer::stop}) {
    test::query(conninfo, "insert into t values (1)");
    (own.*end)();
    CHECK_FALSE(own.running());
    own.start();
    CHECK(test::query(conninfo, "select count(*) from t") == std::to_string(++rows));
  }
}
