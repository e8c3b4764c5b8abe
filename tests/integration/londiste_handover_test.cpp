// Hand-overs of a table around a batch that was applied before a crash but not finished: nobody may leave its events of
// that table out, and nobody may apply them twice. No ticker runs, so every step is the test's.
#include <doctest/doctest.h>

#include <csignal>

#include "core/pg/transaction.h"
#include "tests/support/cascade.h"

using namespace skytools;
using std::chrono::seconds;
using test::Cascade;
using test::eventually;

namespace {

/// Root and leaf with table `first` in sync; `second` is registered on the root only.
struct Stage {
  Cascade c{{{"root"}, {"leaf", "root"}}};
  std::int64_t start = 0;  ///< the tick both have passed

  Stage() {
    c.everywhere("create table first (id int primary key); create table second (id int primary key)");
    c.start_all();
    c.add_tables({"first"});
    c.run("root", {"add-table", "second"});
    c.sync("leaf");
    c.stop_ticker();
    c.sync("leaf");
    start = c.position("leaf");
    c.stop("leaf");
  }

  /// As if a copy of `second` stood at tick `start` on the root, had applied all up to `completed`, and was left in
  /// `state` by a crash.
  void abandon_copy(std::int64_t completed, const std::string& state) {
    std::string consumer =
        "'" + c.query("leaf", "select worker_name from pgq_node.get_node_info('set')") + ".copy.public.second'";
    c.query("root", "select pgq.register_consumer_at('set', " + consumer + ", " + std::to_string(start) + ")");
    c.run("leaf", {"add-table", "second"});
    c.query("leaf",
            "select pgq_node.register_consumer('set', " + consumer + ", 'root', " + std::to_string(completed) + ")");
    c.query("leaf", "select londiste.local_set_table_state('set', 'public.second', null, '" + state + "')");
  }
  std::string state() const {
    return c.query("leaf", "select merge_state from londiste.table_info where table_name = 'public.second'");
  }
  std::int64_t copy_position() const {
    return std::stoll(c.query("root",
                              "select coalesce(max(sub_last_tick), 0) from pgq.subscription join pgq.consumer on co_id "
                              "= sub_consumer where co_name like '%.copy.%'"));
  }
  /// Makes ticks until the table is handed over and everything of the root is on the leaf.
  void settle() {
    bool ok = eventually(seconds(30), [&] { return c.tick(), state() == "ok"; });
    CHECK_MESSAGE(ok, state() << "; log: " << c.worker("leaf").log());
    c.sync("leaf");
    CHECK(c.difference({"first", "second"}) == "");
    CHECK(eventually(seconds(20), [&] { return c.leftovers().empty(); }));
    CHECK(c.error("leaf") == "");
  }
};

}  // namespace

TEST_CASE("a batch applied without the table, but not finished, does not serve for its hand-over") {
  Stage s;
  s.c.query("root", "insert into first values (1); insert into second values (1)");
  std::int64_t applied = s.c.tick();
  auto& doomed = s.c.start("leaf", {.env = {{"SKYTOOLS_FAILPOINTS", "worker.after_commit=crash"}}});
  REQUIRE(eventually(seconds(20), [&] { return !doomed.running(); }));
  REQUIRE(doomed.wait() == 128 + SIGKILL);
  REQUIRE(s.c.query("leaf", "select count(*) from first") == "1");

  s.abandon_copy(s.start, "wanna-sync:" + std::to_string(applied));
  s.c.start("leaf");
  s.settle();
}

TEST_CASE("a batch that the copy has applied, but not finished, is not handed over as unapplied") {
  Stage s;
  s.c.query("root", "insert into first values (1); insert into second values (1)");
  std::int64_t applied = s.c.tick();
  s.c.query("leaf", "insert into second values (1)");
  s.abandon_copy(applied, "catching-up");

  // The worker is kept in that batch, until the copy has decided what to do about it.
  pg::Connection other("other", s.c.conninfo("leaf"));
  pg::Transaction blocker(other);
  blocker.exec("lock table first");
  s.c.start("leaf");
  REQUIRE(eventually(seconds(20), [&] { return s.state() != "catching-up" || s.copy_position() == applied; }));
  std::string waiting = "pid in (select pid from pg_locks where not granted and relation = 'first'::regclass)";
  REQUIRE(eventually(
      seconds(20), [&] { return s.c.query("leaf", "select count(*) from pg_stat_activity where " + waiting) == "1"; }));
  s.c.query("leaf", "select pg_terminate_backend(pid) from pg_stat_activity where " + waiting);
  blocker.rollback();
  s.settle();
}

TEST_CASE("a worker that stands at a hand-over answers, and a pause ends the standing") {
  Stage s;
  s.c.query("root", "insert into first values (1); insert into second values (1)");
  s.c.start("leaf");
  s.c.sync("leaf");
  s.c.stop("leaf");
  s.c.query("root", "insert into first values (2); insert into second values (2)");
  // The copy is still to apply what the main worker has passed, and cannot: so that one has to stand.
  s.abandon_copy(s.start, "do-sync:" + std::to_string(s.c.tick()));
  pg::Connection other("other", s.c.conninfo("leaf"));
  pg::Transaction blocker(other);
  blocker.exec("lock table second");
  s.c.start("leaf");
  REQUIRE(eventually(seconds(20), [&] {
    return s.c.query("leaf", "select count(*) from pg_locks where not granted and relation = 'second'::regclass") ==
           "1";
  }));
  std::string state = "select paused, uptodate from pgq_node.get_worker_state('set')";
  for (int i = 0; i < 3; ++i) {
    s.c.query("leaf", "select * from pgq_node.set_consumer_uptodate('set', 'set_leaf', false)");
    CHECK(eventually(seconds(5), [&] { return s.c.query("leaf", state) == "f|t"; }));
  }
  s.c.query("leaf", "select * from pgq_node.set_consumer_paused('set', 'set_leaf', true)");
  CHECK(eventually(seconds(5), [&] { return s.c.query("leaf", state) == "t|t"; }));
  blocker.rollback();
  std::int64_t stood = s.c.position("leaf");
  CHECK(eventually(seconds(20), [&] { return s.state() == "ok"; }));  // the copy gets there by itself
  CHECK(s.c.position("leaf") == stood);
  s.c.query("leaf", "select * from pgq_node.set_consumer_paused('set', 'set_leaf', false)");
  s.settle();
}
