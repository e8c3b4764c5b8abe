// A server crashes under load (its processes die at once, nothing is flushed): afterwards both sides are equal.
#include <doctest/doctest.h>

#include "tests/support/cascade.h"
#include "tests/support/load.h"

using namespace skytools;
using std::chrono::seconds;
using test::Cascade;
using test::eventually;

namespace {

/// Root and branch on servers of their own, the leaf on the shared one.
struct Stage {
  // Under wal_level minimal PostgreSQL 15 can forget steps of a sequence that was used by the transaction that made it.
  run::ThrowawayServer root{{.wal_level = "replica"}}, branch{{.wal_level = "replica"}};
  Cascade c{{{"root", "", &root}, {"branch", "root", &branch}, {"leaf", "branch"}}};

  Stage() {
    c.everywhere(test::kLoadTables);
    c.query("root", test::kLoadRows);
    c.start_all();
  }
  void register_tables() {
    for (auto* node : {"root", "branch", "leaf"}) c.run(node, {"add-table", "stock", "sales"});
  }
  /// The crash comes when `moment` is true.
  void crash(run::ThrowawayServer& victim, const std::function<bool()>& moment) {
    CHECK(eventually(seconds(30), moment));
    victim.crash();
    victim.start();
  }
  void check_equal() {
    for (auto* node : {"branch", "leaf"}) {
      c.sync(node, seconds(60));
      bool settled = eventually(seconds(60), [&] { return c.leftovers().empty(); });
      CHECK_MESSAGE(settled, c.leftovers() << c.worker(node).log());
    }
    for (auto* node : {"branch", "leaf"}) c.sync(node, seconds(60));
    CHECK(c.difference({"stock", "sales"}) == "");
    for (auto* node : {"root", "branch", "leaf"}) CHECK_MESSAGE(c.worker(node).running(), c.worker(node).log());
    std::string ticks =
        "select max(tick_id), max(tick_event_seq) from pgq.tick where tick_id <= " + std::to_string(c.position("leaf"));
    CHECK(c.query("root", ticks) == c.query("branch", ticks));
  }
};

}  // namespace

TEST_CASE("the root's server crashes while rows are applied") {
  Stage s;
  s.c.add_tables({"stock", "sales"});
  test::Load load(s.c.conninfo("root"));
  for (int i = 1; i <= 3; ++i)
    s.crash(s.root, [&, before = load.transactions()] { return load.transactions() > before; });
  CHECK(eventually(seconds(30), [&, before = load.transactions()] { return load.transactions() > before; }));
  load.stop();
  s.check_equal();
}

TEST_CASE("the branch's server crashes while rows are applied") {
  Stage s;
  s.c.add_tables({"stock", "sales"});
  test::Load load(s.c.conninfo("root"));
  for (int i = 1; i <= 3; ++i) {
    std::int64_t from = s.c.position("branch");
    s.crash(s.branch, [&] { return s.c.position("branch") > from + 3; });
  }
  load.stop();
  s.check_equal();
}

TEST_CASE("the provider's and the target's servers crash while tables are copied") {
  for (bool provider : {true, false}) {
    CAPTURE(provider);
    Stage s;
    s.c.query("root", "insert into stock select g, 0, repeat('z', 400) from generate_series(5001, 60000) g");
    test::Load load(s.c.conninfo("root"));
    s.register_tables();
    s.crash(provider ? s.root : s.branch, [&] {
      return s.c.query("branch",
                       "select count(*) from londiste.table_info where merge_state in ('in-copy', 'catching-up')") !=
             "0";
    });
    CHECK(eventually(seconds(30), [&, before = load.transactions()] { return load.transactions() > before; }));
    load.stop();
    CHECK(eventually(seconds(60), [&] {
      return s.c.query("leaf", "select count(*) from londiste.table_info where merge_state = 'ok'") == "2";
    }));
    s.check_equal();
  }
}
