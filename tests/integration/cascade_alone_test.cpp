// Admin commands that meet each other: one at a time changes the set.
#include <doctest/doctest.h>

#include <csignal>

#include "core/pg/transaction.h"
#include "tests/support/roaming_set.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::RoamingSet;

namespace {

/// A writer that lets the write pause of a switchover last until it ends.
struct Writer {
  pg::Connection connection;
  pg::Transaction tx{connection};
  explicit Writer(RoamingSet& s) : connection("writer", s.c.conninfo("root")) {
    tx.exec("insert into ledger values (7, 1, 0)");
  }
};

bool write_pause_waits(RoamingSet& s) {
  return eventually(seconds(20), [&] {
    return s.c.query("root", "select count(*) from pg_locks where mode = 'ExclusiveLock' and not granted") != "0";
  });
}

}  // namespace

TEST_CASE("while one command changes the set, a second one is refused, whichever node it is run at") {
  RoamingSet s({{"root"}, {"branch", "root"}, {"branch2", "root"}, {"leaf", "branch"}});
  Writer writer(s);
  test::Background first(s.role_args("leaf", {"switchover", "--to", "branch", "--timeout", "60s"}));
  REQUIRE(write_pause_waits(s));
  for (auto& args : std::vector<std::vector<std::string>>{
           {"switchover", "--to", "branch2"},
           {"failover", "--to", "branch2", "--dead", "root", "--force"},
           {"drop-node", "leaf"},
       }) {
    auto o = s.role("branch2", args);
    CHECK(o.exit == 5);
    CHECK_MESSAGE(o.err.find("another admin command is at work on queue set (process ") != std::string::npos, o.err);
  }
  CHECK(s.role("branch2", {"switchover", "--to", "branch2", "--dry-run"}).exit == 0);  // looking is free
  writer.tx.commit();
  CHECK(first.wait() == 0);
  CHECK(s.types() == "root < branch; branch < branch; branch2 < root; leaf < branch; ");
}

TEST_CASE("a command that was killed keeps nobody out") {
  RoamingSet s;
  Writer writer(s);
  test::Background first(s.role_args("leaf", {"switchover", "--to", "branch", "--timeout", "60s"}));
  REQUIRE(write_pause_waits(s));
  first.kill();
  writer.tx.commit();
  auto o = s.role("root", {"switchover", "--to", "branch"});
  CHECK_MESSAGE(o.exit == 0, o.err);
  CHECK(s.types() == "root < branch; branch < branch; leaf < branch; ");
}

TEST_CASE("a switchover that was cut off leaves a closed root: status tells, and it can be opened again") {
  RoamingSet s({{"root"}, {"branch", "root"}, {"branch2", "root"}});
  {
    Writer writer(s);
    test::Background first(s.role_args("branch2", {"switchover", "--to", "branch", "--timeout", "60s"}));
    REQUIRE(write_pause_waits(s));
    first.kill();
  }
  s.c.stop("branch");  // it cannot take over now
  CHECK(s.c.run("branch2", {"status"}).find("CLOSED FOR WRITES") != std::string::npos);
  auto o = s.role("branch2", {"switchover", "--to", "branch"});
  CHECK(o.exit == 5);
  CHECK_MESSAGE(o.err.find("still is; to open it again: skytools cascade switchover --to root") != std::string::npos,
                o.err);
  // Who is silent may have been promoted: then the other root stays closed.
  auto locate = [&](const std::string& where) {
    s.c.query("root", "update pgq_node.node_location set node_location = '" + where + "' where node_name = 'branch'");
  };
  locate("host=/nowhere dbname=x");
  o = s.role("root", {"switchover", "--to", "root"});
  CHECK(o.exit == 5);
  CHECK_MESSAGE(o.err.find("branch, which does not answer, may have become the root") != std::string::npos, o.err);
  locate(s.c.conninfo("branch"));
  CHECK(s.role("root", {"switchover", "--to", "root", "--dry-run"}).exit == 0);
  CHECK_THROWS_WITH(s.c.query("root", "insert into ledger values (8, 1, 0)"), doctest::Contains("disallowed"));
  o = s.role("root", {"switchover", "--to", "root"});
  CHECK_MESSAGE(o.exit == 0, o.err);
  CHECK(o.err.find("takes writes again") != std::string::npos);
  s.c.query("root", "insert into ledger values (8, 1, 0)");
  CHECK(s.c.run("branch2", {"status"}).find("CLOSED FOR WRITES") == std::string::npos);
}
