#include <doctest/doctest.h>

#include <atomic>

#include "core/pg/copy.h"
#include "tests/support/cluster.h"
#include "tests/support/memory.h"
#include "tests/support/moment.h"
#include "tests/support/relay.h"

using namespace skytools;
using test::Database;
using test::Relay;

namespace {

constexpr std::int64_t kMegabyte = 1 << 20;
constexpr const char* kTable = "create table t (a int primary key, b text)";

/// Two databases with the same table and a connection to each; the way to the target leads through a relay.
struct Pair {
  Database source, target;
  Relay door;
  StopToken stop;
  pg::Connection from, to;
  Pair()
      : door(target.conninfo()),
        from("source", source.conninfo(), {.stop = &stop}),
        to("target", door.conninfo(), {.stop = &stop}) {
    source.query(kTable);
    target.query(kTable);
  }
  /// Copies what a query gives into the target's table and commits.
  pg::CopyTotals copy(const std::string& query, const std::function<void(const pg::CopyTotals&)>& progress = {}) {
    pg::Transaction source_tx(from, pg::Mode::repeatable_read), target_tx(to);
    pg::CopyTotals totals;
    {
      pg::CopyOut out(source_tx, "copy (" + query + ") to stdout");
      pg::CopyIn in(target_tx, "copy t from stdin");
      totals = pg::relay(out, in, progress);
    }
    target_tx.commit();
    source_tx.commit();
    return totals;
  }
};

std::string checksum(const Database& db) { return db.query("select count(*), sum(hashtext(t::text)::bigint) from t"); }

}  // namespace

TEST_CASE("rows go through COPY out and in unchanged, however they are cut") {
  Pair p;
  p.source.query(
      R"(insert into t values (1, null), (2, ''), (3, E'tab\t line\n back\\slash \\N'), (4, 'ünï'), (5, repeat('x', 5000000)))");
  {
    pg::Transaction source_tx(p.from), target_tx(p.to);
    std::string all;
    pg::CopyOut out(source_tx, "copy t to stdout");
    while (auto row = out.next()) all += *row;
    pg::CopyIn in(target_tx, "copy t from stdin");
    for (std::size_t at = 0, step = 1; at < all.size(); at += step, step = step * 3 + 1)
      in.put(std::string_view(all).substr(at, step));
    CHECK(in.finish() == 5);
    target_tx.commit();
  }
  CHECK(checksum(p.source) == checksum(p.target));
}

TEST_CASE("a relay moves everything, tells how much, and reports on the way") {
  Pair p;
  p.source.query(
      "insert into t select g, md5(g::text) from generate_series(1, 100000) g; insert into t values (0, repeat('y', "
      "5000000))");
  std::vector<std::int64_t> seen;
  auto totals = p.copy("select * from t", [&](const pg::CopyTotals& t) { seen.push_back(t.rows); });
  CHECK(totals.rows == 100'001);
  CHECK(totals.bytes > 5'000'000 + 100'000 * 33);
  CHECK(seen.size() > 10);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(seen.back() == 100'001);
  CHECK(checksum(p.source) == checksum(p.target));
}

TEST_CASE("nothing to copy is no error") {
  Pair p;
  CHECK(p.copy("select * from t").rows == 0);
}

TEST_CASE("a slow target holds the source back; memory stays small") {
  Pair p;
  p.door.limit(20 * kMegabyte);
  std::int64_t before = test::reset_memory_peak();
  auto totals = p.copy("select g, repeat('x', 1000) from generate_series(1, 40000) g");
  CHECK(totals.bytes > 40 * kMegabyte * 9 / 10);
  CHECK(test::memory_peak() - before < 8 * kMegabyte + test::kMemorySlack);
  CHECK(p.target.query("select count(*) from t") == "40000");
}

TEST_CASE("a slow target of single rows through put() holds us back too") {
  Pair p;
  p.door.limit(20 * kMegabyte);
  std::int64_t before = test::reset_memory_peak();
  pg::Transaction tx(p.to);
  pg::CopyIn in(tx, "copy t from stdin");
  std::string row = "\t" + std::string(1000, 'x') + "\n";
  for (int i = 0; i < 20'000; ++i) in.put(std::to_string(i) + row);
  CHECK(test::memory_peak() - before < 8 * kMegabyte + test::kMemorySlack);
  CHECK(in.finish() == 20'000);
}

TEST_CASE("an error of the source ends the copy on both sides; both connections stay good") {
  Pair p;
  try {
    p.copy("select g, (1 / (50000 - g))::text from generate_series(1, 100000) g");
    FAIL("no error");
  } catch (const pg::SqlError& e) {
    CHECK(e.connection().starts_with("source"));
    CHECK(e.sqlstate() == "22012");
  }
  CHECK_FALSE(p.from.lost());
  CHECK_FALSE(p.to.lost());
  CHECK(p.target.query("select count(*) from t") == "0");
  CHECK(p.copy("select 1, 'x'").rows == 1);
}

TEST_CASE("an error of the target is told as the target's; both connections stay good") {
  Pair p;
  p.target.query("insert into t values (50000, 'here already')");
  try {
    p.copy("select g, 'x' from generate_series(1, 100000) g");
    FAIL("no error");
  } catch (const pg::SqlError& e) {
    CHECK(e.connection().starts_with("target"));
    CHECK(e.sqlstate() == "23505");
  }
  CHECK_FALSE(p.from.lost());
  CHECK_FALSE(p.to.lost());
  CHECK(p.copy("select 1, 'x'").rows == 1);
}

TEST_CASE("a link cut during a relay is told for the side it belongs to") {
  Pair p;
  p.door.limit(5 * kMegabyte);
  auto cut = [&](const pg::CopyTotals&) { p.door.cut(); };
  try {
    p.copy("select g, repeat('x', 1000) from generate_series(1, 100000) g", cut);
    FAIL("no error");
  } catch (const pg::SqlError& e) {
    CHECK(e.connection().starts_with("target"));
    CHECK(e.connection_lost());
  }
  CHECK(p.to.lost());
  CHECK(p.from.lost());  // in the middle of its COPY: not worth draining
  CHECK(p.target.query("select count(*) from t") == "0");
}

TEST_CASE("the source's end during a relay is told as the source's; the target can go on") {
  Pair p;
  bool done = false;
  auto terminate = [&](const pg::CopyTotals&) {
    if (!std::exchange(done, true))
      p.source.query("select pg_terminate_backend(" + std::to_string(p.from.backend_pid()) + ")");
  };
  try {
    p.copy("select g, repeat('x', 1000) from generate_series(1, 200000) g", terminate);
    FAIL("no error");
  } catch (const pg::SqlError& e) {
    CHECK(e.connection().starts_with("source"));
    CHECK(e.connection_lost());
  }
  CHECK_FALSE(p.to.lost());
  pg::Transaction tx(p.to);
  CHECK(tx.value<int>("select count(*) from t") == 0);
}

TEST_CASE("a stop request ends a relay whose target does not move") {
  Pair p;
  std::atomic<bool> stalled = false;
  test::When request([&, waits = test::this_thread_waits()] { return stalled && waits(); }, [&] { p.stop.request(); });
  auto start = Clock::now();
  CHECK_THROWS_AS(p.copy("select g, repeat('x', 1000) from generate_series(1, 200000) g",
                         [&](const pg::CopyTotals&) {
                           if (!stalled) p.door.stall();
                           stalled = true;
                         }),
                  Stopped);
  CHECK(stalled);
  CHECK(Clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("a target that does not move for longer than the statement timeout is an error") {
  Database source, target;
  target.query(kTable);
  Relay door(target.conninfo());
  pg::Connection from("source", source.conninfo()),
      to("target", door.conninfo(), {.statement_timeout = milliseconds(300)});
  auto start = Clock::now();
  CHECK_THROWS_AS(([&] {
                    pg::Transaction source_tx(from), target_tx(to);
                    pg::CopyOut out(source_tx,
                                    "copy (select g, repeat('x', 1000) from generate_series(1, 200000) g) to stdout");
                    pg::CopyIn in(target_tx, "copy t from stdin");
                    pg::relay(out, in, [&](const pg::CopyTotals&) { door.stall(); });
                  }()),
                  TimedOut);
  CHECK(Clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("a COPY IN that is dropped is aborted and the connection goes on after the rollback") {
  Pair p;
  {
    pg::Transaction tx(p.to);
    pg::CopyIn in(tx, "copy t from stdin");
    in.put("1\tx\n");
  }
  CHECK_FALSE(p.to.lost());
  pg::Transaction tx(p.to);
  CHECK(tx.value<int>("select count(*) from t") == 0);
}

TEST_CASE("a COPY OUT that is dropped leaves a connection nobody may use") {
  Pair p;
  pg::Transaction tx(p.from);
  {
    pg::CopyOut out(tx, "copy (select generate_series(1, 1000)) to stdout");
    CHECK(out.next() == "1\n");
  }
  CHECK(p.from.lost());
  CHECK_THROWS_AS(tx.exec("select 1"), pg::SqlError);
}

TEST_CASE("a bad row is an error with the server's code") {
  Pair p;
  pg::Transaction tx(p.to);
  pg::CopyIn in(tx, "copy t from stdin");
  in.put("no number\tx\n");
  try {
    in.finish();
    FAIL("no error");
  } catch (const pg::SqlError& e) {
    CHECK(e.sqlstate() == "22P02");
  }
  CHECK_FALSE(p.to.lost());
}

TEST_CASE("what is no COPY of that direction is refused") {
  Pair p;
  {
    pg::Transaction tx(p.from);
    CHECK_THROWS_WITH_AS((pg::CopyOut{tx, "select 1"}), doctest::Contains("not a COPY TO STDOUT"), Error);
    CHECK_THROWS_WITH_AS((pg::CopyIn{tx, "select 1"}), doctest::Contains("not a COPY FROM STDIN"), Error);
    CHECK(tx.value<int>("select 1") == 1);
    CHECK_THROWS_AS((pg::CopyOut{tx, "copy t from stdin"}), Error);
  }
  CHECK(p.from.lost());
}
