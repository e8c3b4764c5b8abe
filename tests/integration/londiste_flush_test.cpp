// The applier alone: while one half of its limits is carried out the next one is gathered.
#include <doctest/doctest.h>

#include "core/londiste/applier.h"
#include "tests/support/cluster.h"
#include "tests/support/memory.h"
#include "tests/support/moment.h"

using namespace skytools;
using namespace skytools::londiste;
using std::chrono::seconds;
using test::Database;

namespace {

constexpr ApplyLimits kSmall = {.max_rows = 10, .max_bytes = 1 << 20};  ///< halves of 5 rows
constexpr std::int64_t kMegabyte = 1 << 20;

/// Two tables: t may be folded, u may not (another unique index). No statement takes longer than 10 s.
struct Target {
  Database db;
  StopToken stop;
  pg::Connection c{"db", db.conninfo(), {.statement_timeout = seconds(10), .stop = &stop}};
  ApplySession session;
  std::int64_t events = 0;
  Target() {
    db.query("create table t (id int primary key, v text); create table u (id int primary key, v text unique)");
  }

  Step change(RowOp op, int id, std::string v, const std::string& table = "t") {
    return {++events, 7, TableName{"public", table},
            RowChange{op, {{"id", std::to_string(id)}, {"v", std::move(v)}}, {"id"}}};
  }
  std::string rows(const std::string& table = "t") {
    return db.query("select string_agg(id || v, ' ' order by id) from " + table);
  }
  /// Is our backend waiting for a lock?
  std::function<bool()> blocked() {
    return [this] {
      return db.query("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and pid = " +
                      std::to_string(c.backend_pid())) == "1";
    };
  }
};

/// Another session that keeps everybody from writing to the table while it lives.
struct Lock {
  pg::Connection c;
  pg::Transaction tx;
  Lock(const Database& db, const std::string& table) : c("other", db.conninfo()), tx(c) {
    tx.exec("lock table " + table + " in share mode");
  }
};

/// The error of adding `steps` and flushing; "" when there is none.
std::string error_of(Applier& applier, std::vector<Step> steps) {
  try {
    for (auto& step : steps) applier.add(std::move(step));
    applier.flush();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("steps are taken while the target is busy with those before") {
  Target t;
  pg::Transaction tx(t.c);
  Applier applier(tx, t.session, kSmall, false);
  t.session.catalog.get(tx, {"public", "t"});
  auto lock = std::make_unique<Lock>(t.db, "t");
  // The first half waits for the lock all the time; the limits let the second one be gathered.
  for (int i = 0; i < 9; ++i) applier.add(t.change(RowOp::insert, i, "x"));
  CHECK(test::eventually(seconds(5), t.blocked()));
  lock.reset();
  applier.add(t.change(RowOp::insert, 9, "x"));
  applier.flush();
  tx.commit();
  CHECK(t.rows() == "0x 1x 2x 3x 4x 5x 6x 7x 8x 9x");
  CHECK(applier.applied() == 10);
  CHECK(applier.missed() == 0);
}

TEST_CASE("an error in a half that is under way names its event, wherever it is noticed") {
  Target t;
  t.db.query("insert into u values (100, 'taken')");
  for (int bad : {0, 4, 5, 13, 22}) {
    CAPTURE(bad);
    pg::Transaction tx(t.c);
    Applier applier(tx, t.session, kSmall, false);
    std::vector<Step> steps;
    t.events = 0;
    for (int i = 0; i < 23; ++i)
      steps.push_back(t.change(RowOp::insert, i, i == bad ? "taken" : std::to_string(i), "u"));
    std::string error = error_of(applier, std::move(steps));
    CHECK(error.starts_with("[ev_id=" + std::to_string(bad + 1) + ",ev_txid=7] public.u: "));
    CHECK(error.find("23505") != std::string::npos);
    // A connection does not outlive an error: what was prepared there may be gone.
    t.session = ApplySession();
    tx.rollback();
    pg::Transaction(t.c, pg::Mode::autocommit).exec("deallocate all");
  }
  CHECK(t.rows("u") == "100taken");
}

TEST_CASE("the order of changes holds across halves, stretches and tables") {
  Target t;
  pg::Transaction tx(t.c);
  Applier applier(tx, t.session, kSmall, false);
  // Values of u wander between rows; every change of t depends on the one before.
  for (int round = 0; round < 40; ++round) {
    std::string n = std::to_string(round);
    for (auto* table : {"t", "u"}) {
      applier.add(t.change(RowOp::insert, 1, "a" + n, table));
      applier.add(t.change(RowOp::update, 1, "b" + n, table));
      applier.add(t.change(RowOp::insert, 2, "a" + n, table));
      applier.add(t.change(RowOp::update, 1, "c" + n, table));
      applier.add(t.change(RowOp::update, 2, "b" + n, table));
      if (round == 39) continue;
      if (round % 3 == 0) {
        applier.add({++t.events, 7, TableName{"public", table}, Truncate{}});
        continue;
      }
      // Written SQL in between: not to be folded with the others.
      applier.add({++t.events, 7, TableName{"public", table}, PartialSql{RowOp::remove, "id = 1"}});
      applier.add(t.change(RowOp::remove, 2, "b" + n, table));
    }
  }
  applier.flush();
  tx.commit();
  CHECK(t.rows() == "1c39 2b39");
  CHECK(t.rows("u") == "1c39 2b39");
  CHECK(applier.missed() == 0);
}

TEST_CASE("rows not found are counted over all halves, folded or not") {
  Target t;
  t.db.query("insert into t values (3, 'x'); insert into u values (3, 'x')");
  pg::Transaction tx(t.c);
  Applier applier(tx, t.session, kSmall, false);
  for (auto* table : {"t", "u"})
    for (int i = 0; i < 12; ++i) applier.add(t.change(i % 2 ? RowOp::update : RowOp::remove, i, "y", table));
  applier.flush();
  CHECK(applier.missed() == 22);
  Applier next(tx, t.session, kSmall, false);
  CHECK(next.missed() == 0);
}

TEST_CASE("a stop ends a half that is under way at once") {
  Target t;
  Lock lock(t.db, "t");
  auto start = Clock::now();
  {
    pg::Transaction tx(t.c);
    Applier applier(tx, t.session, kSmall, false);
    test::When cancel(t.blocked(), [&] { t.stop.cancel(); });
    // The applier goes before its transaction, which has to wait for what is under way.
    for (int i = 0; i < 7; ++i) applier.add(t.change(RowOp::insert, i, "x"));
    SUBCASE("flushing") { CHECK_THROWS_AS(applier.flush(), Stopped); }
    SUBCASE("giving up") {}
  }
  CHECK(Clock::now() - start < seconds(5));
  CHECK(t.rows() == "NULL");
}

TEST_CASE("a column that is missing is an error of the caller, not of the thread") {
  Target t;
  pg::Transaction tx(t.c);
  Applier applier(tx, t.session, kSmall, false);
  std::vector<Step> steps;
  for (int i = 0; i < 12; ++i)
    steps.push_back({i, 7, TableName{"public", "t"}, RowChange{RowOp::insert, {{"id", "1"}, {"w", "1"}}, {"id"}}});
  CHECK(error_of(applier, std::move(steps)).find("table public.t has no column w") != std::string::npos);
}

TEST_CASE("rows of 5 MB among small ones") {
  Target t;
  pg::Transaction tx(t.c);
  Applier applier(tx, t.session, {}, false);
  std::int64_t before = test::reset_memory_peak();
  for (int i = 0; i < 20; ++i) {
    applier.add(t.change(RowOp::insert, 2 * i, std::string(5 * kMegabyte, 'x')));
    applier.add(t.change(RowOp::insert, 2 * i + 1, std::string(kMegabyte, 'y')));
  }
  applier.flush();
  CHECK(test::memory_peak() - before < 32 * kMegabyte + test::kMemorySlack);
  tx.commit();
  CHECK(t.db.query("select count(*), sum(length(v)) from t") == "40|" + std::to_string(120 * kMegabyte));
}
