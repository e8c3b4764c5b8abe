// The write pause of a switchover when something goes wrong in it: nobody writes to two roots, or past the last tick.
#include <doctest/doctest.h>

#include "core/pg/transaction.h"
#include "tests/support/relay.h"
#include "tests/support/roaming_set.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::RoamingSet;

namespace {

const char* const kBefore = "root < root; branch < root; leaf < branch; ";
const char* const kAfter = "root < branch; branch < branch; leaf < branch; ";

/// The set knows a node by this door.
struct Door {
  test::Relay relay;
  Door(RoamingSet& s, const std::string& node) : relay(s.c.conninfo(node)) {
    s.c.everywhere("update pgq_node.node_location set node_location = '" + relay.conninfo() + "' where node_name = '" +
                   node + "'");
  }
};

bool write_pause_waits(RoamingSet& s) {
  return eventually(seconds(20), [&] {
    return s.c.query("root", "select count(*) from pg_locks where mode = 'ExclusiveLock' and not granted") != "0";
  });
}

std::string closed(RoamingSet& s, const std::string& node) {
  return s.c.query(node, "select queue_disable_insert from pgq.queue");
}

}  // namespace

TEST_CASE("a writer with a snapshot from before the switchover is refused by the old root") {
  RoamingSet s;
  pg::Connection writer("writer", s.c.conninfo("root"));
  for (bool by_trigger : {true, false}) {
    INFO(by_trigger);
    pg::Transaction tx(writer, pg::Mode::repeatable_read);
    tx.exec("select count(*) from ledger");
    auto o = s.role("leaf", {"switchover", "--to", "branch"});
    REQUIRE_MESSAGE(o.exit == 0, o.err);
    CHECK_THROWS_WITH(
        tx.exec(by_trigger ? "insert into ledger values (7, 1, 0)" : "select pgq.insert_event('set', 'x', 'lost')"),
        doctest::Contains("disallowed"));
    tx.rollback();
    o = s.role("leaf", {"switchover", "--to", "root"});
    REQUIRE_MESSAGE(o.exit == 0, o.err);
  }
  // The root takes them again.
  pg::Transaction tx(writer, pg::Mode::repeatable_read);
  tx.exec("insert into ledger values (7, 1, 0)");
  tx.commit();
  s.c.sync_all();
  CHECK(s.c.difference({"ledger"}) == "");
}

TEST_CASE("the answer to the promotion is lost while its COMMIT is still at work: one root takes writes") {
  RoamingSet s;
  Door door(s, "branch");
  s.c.query("branch",
            "create function slow() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(1, 2);"
            " return null; end $$;"
            "create constraint trigger slow after update of node_type on pgq_node.node_info deferrable initially "
            "deferred for each row execute function slow()");
  pg::Connection holder("holder", s.c.conninfo("branch"));
  pg::Transaction hold(holder);
  hold.exec("select pg_advisory_xact_lock(1, 2)");
  auto waits = [&](const std::string& what) {
    return eventually(seconds(20), [&] {
      return s.c.query("branch", "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and " + what) !=
             "0";
    });
  };
  test::Background command(s.role_args("leaf", {"switchover", "--to", "branch"}));
  REQUIRE(waits("wait_event = 'advisory'"));
  door.relay.cut();
  SUBCASE("it ends while the node is asked") {
    CHECK(waits("query like '%node_info%for update%'"));
    hold.rollback();
    CHECK_MESSAGE(command.wait() == 0, command.log());
  }
  SUBCASE("it does not end: the old root stays closed, and the next run completes") {
    CHECK(command.wait() != 0);
    CHECK_MESSAGE(command.logged("stays closed for writes"), command.log());
    CHECK(closed(s, "root") == "t");
    hold.rollback();
    REQUIRE(eventually(seconds(20), [&] { return closed(s, "branch") == "f"; }));
    auto o = s.role("leaf", {"switchover", "--to", "branch"});
    CHECK_MESSAGE(o.exit == 0, o.err);
  }
  CHECK(s.types() == kAfter);
  CHECK(closed(s, "root") == "t");
}

TEST_CASE("the target falls silent in the write pause: the old root is open again when the time is over") {
  RoamingSet s;
  Door door(s, "branch");
  pg::Connection writer("writer", s.c.conninfo("root"));
  pg::Transaction tx(writer);
  tx.exec("insert into ledger values (7, 1, 0)");
  test::Background command(s.role_args("leaf", {"switchover", "--to", "branch", "--timeout", "3s"}));
  REQUIRE(write_pause_waits(s));
  door.relay.stall();
  tx.commit();
  CHECK(command.wait(seconds(40)) == 7);
  CHECK_MESSAGE(command.logged("root is the root and takes writes again"), command.log());
  CHECK(closed(s, "root") == "f");
  door.relay.pass();
  CHECK(s.types() == kBefore);
}

TEST_CASE("a prepared transaction holds the queue: it is named, by the gate and when the pause is given up") {
  RoamingSet s;
  s.c.query("root", "begin; insert into ledger values (7, 1, 0); prepare transaction 'half done'");
  auto o = s.role("leaf", {"switchover", "--to", "branch", "--timeout", "3s"});
  CHECK(o.exit == 7);
  CHECK_MESSAGE(o.err.find("prepared transaction 'half done' has been writing for") != std::string::npos, o.err);
  o = s.role("leaf", {"switchover", "--to", "branch", "--timeout", "1s"});
  CHECK(o.exit == 5);
  CHECK_MESSAGE(o.err.find("open writers: prepared transaction 'half done' on root") != std::string::npos, o.err);
  CHECK(closed(s, "root") == "f");
  s.c.query("root", "commit prepared 'half done'");
}

TEST_CASE("a target whose provider is silent is no heir") {
  RoamingSet s({{"root"}, {"branch", "root"}, {"branch2", "branch"}});
  s.c.query("root", "update pgq_node.node_location set node_location = 'host=/nowhere' where node_name = 'branch'");
  auto o = s.role("root", {"switchover", "--to", "branch2"});
  CHECK(o.exit == 5);
  CHECK_MESSAGE(o.err.find("provider: branch2 reads from branch, which does not answer") != std::string::npos, o.err);
  CHECK(closed(s, "root") == "f");
}
