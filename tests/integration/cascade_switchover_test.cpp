// Planned role changes: the write pause, gates, what a failure leaves, what a second run completes.
#include <doctest/doctest.h>

#include <csignal>

#include "core/pg/transaction.h"
#include "tests/support/relay.h"
#include "tests/support/roaming_set.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::RoamingLoad;
using test::RoamingSet;

namespace {

const char* const kBefore = "root < root; branch < root; leaf < branch; ";
const char* const kAfter = "root < branch; branch < branch; leaf < branch; ";

}  // namespace

TEST_CASE("a branch becomes the root and the old root its branch, and back, while clients write") {
  RoamingSet s;
  RoamingLoad load(s.conninfos({"root", "branch"}));
  REQUIRE(eventually(seconds(20), [&] { return load.committed() > 50; }));
  for (auto* to : {"branch", "root"}) {
    auto o = s.role("leaf", {"switchover", "--to", to, "--json"});
    REQUIRE_MESSAGE(o.exit == 0, o.err);
    CHECK(o.out.find("\"root\": \"" + std::string(to) + "\"") != std::string::npos);
    CHECK(o.out.find("\"write_pause\": 0.") != std::string::npos);
    auto before = load.committed();
    CHECK(eventually(seconds(20), [&] { return load.committed() > before + 20; }));
    s.c.root_is(to);
  }
  load.stop();
  CHECK(s.types() == "root < root; branch < root; leaf < branch; ");
  s.expect_equal(load);
}

TEST_CASE("gates refuse before anything changes, and say why") {
  RoamingSet s;
  auto refused = [&](std::vector<std::string> args, const char* why, int exit = 5) {
    auto o = s.role("leaf", args);
    CHECK(o.exit == exit);
    CHECK_MESSAGE(o.err.find(why) != std::string::npos, o.err);
    CHECK(s.types() == kBefore);
    CHECK(s.c.query("root", "select queue_disable_insert from pgq.queue") == "f");
  };
  refused({"switchover", "--to", "leaf"}, "is a leaf");
  refused({"switchover", "--to", "branhc"}, "did you mean 'branch'?", 1);
  refused({"switchover"}, "--to NODE", 2);
  auto unconfirmed = s.c.try_run("leaf", {"switchover", "--to", "branch"});
  CHECK(unconfirmed.exit == 5);
  CHECK(unconfirmed.err.find("--yes") != std::string::npos);

  s.c.query("root", "create table extra (id int primary key)");
  s.c.run("root", {"add-table", "extra"});
  s.c.sync("branch");
  refused({"switchover", "--to", "branch"}, "tables: public.extra is not replicated there");
  s.c.query("root", "select londiste.local_remove_table('set', 'public.extra')");
  s.c.sync("branch");

  s.c.query("branch", "alter table ledger disable trigger user");
  refused({"switchover", "--to", "branch"}, "public.ledger has no enabled triggers");
  s.c.query("branch", "alter table ledger enable trigger user");

  s.c.query("branch", "select pgq_node.set_consumer_paused('set', 'set_branch', true)");
  refused({"switchover", "--to", "branch"}, "worker: worker set_branch of branch is paused");
  s.c.query("branch", "select pgq_node.set_consumer_paused('set', 'set_branch', false)");
  s.c.stop("branch");
  refused({"switchover", "--to", "branch"}, "does not answer: is it running?");
}

TEST_CASE("a rehearsal tells the steps and the pause, and changes nothing") {
  RoamingSet s;
  auto o = s.role("leaf", {"switchover", "--to", "branch", "--dry-run"});
  CHECK_MESSAGE(o.exit == 0, o.err);
  CHECK(o.out.find("pgq_node.promote_branch('set')") != std::string::npos);
  CHECK(o.err.find("write pause: about ") != std::string::npos);
  CHECK(s.types() == kBefore);
  CHECK(s.c.query("root", "select queue_disable_insert from pgq.queue") == "f");
}

TEST_CASE("a writer that does not end makes the switchover give up: the old root is open again") {
  RoamingSet s;
  pg::Connection writer("writer", s.c.conninfo("root"));
  pg::Transaction tx(writer);
  tx.exec("insert into ledger values (7, 1, 0)");
  auto o = s.role("leaf", {"switchover", "--to", "branch", "--timeout", "1s"});
  CHECK(o.exit == 7);
  CHECK_MESSAGE(o.err.find("root is the root and takes writes again") != std::string::npos, o.err);
  CHECK(s.types() == kBefore);
  tx.commit();
  s.c.query("root", "insert into ledger values (8, 1, 0)");
  o = s.role("leaf", {"switchover", "--to", "branch"});
  CHECK_MESSAGE(o.exit == 0, o.err);
  CHECK(s.types() == kAfter);
}

TEST_CASE("Ctrl-C in the write pause takes the switchover back") {
  RoamingSet s;
  pg::Connection writer("writer", s.c.conninfo("root"));
  pg::Transaction tx(writer);
  tx.exec("insert into ledger values (7, 1, 0)");
  test::Background command(s.role_args("leaf", {"switchover", "--to", "branch", "--timeout", "60s"}));
  REQUIRE(eventually(seconds(20), [&] {
    return s.c.query("root", "select count(*) from pg_locks where mode = 'ExclusiveLock' and not granted") != "0";
  }));
  command.signal(SIGINT);
  CHECK(command.wait() != 0);
  CHECK(s.c.query("root", "select queue_disable_insert from pgq.queue") == "f");
  CHECK(s.types() == kBefore);
}

TEST_CASE("the link to the new root breaks around its COMMIT: the node is asked what happened") {
  RoamingSet s({{"root"}, {"branch", "root"}});
  test::Relay door(s.c.conninfo("branch"));  // nobody but the command goes through it
  s.c.run("root", {"set-location", "branch", door.conninfo()});
  s.c.sync("branch");
  bool committed = false;
  SUBCASE("before the server has it") {}
  SUBCASE("before the client has the answer") { committed = true; }
  test::ProgramOptions slow{.env = {{"SKYTOOLS_FAILPOINTS", "cascade.step=sleep:1500@2"}}};
  test::Background command(s.role_args("root", {"switchover", "--to", "branch"}), slow);
  REQUIRE(
      eventually(seconds(20), [&] { return s.c.query("root", "select queue_disable_insert from pgq.queue") == "t"; }));
  // The statement by itself: BEGIN names READ COMMITTED.
  door.trap(std::string("\0COMMIT", 7), committed ? test::Relay::Trap::after : test::Relay::Trap::before);
  int exit = command.wait();
  CHECK_MESSAGE(exit == (committed ? 0 : 1), command.log());
  CHECK(s.types() == (committed ? "root < branch; branch < branch; " : "root < root; branch < root; "));
  CHECK(s.c.query(committed ? "branch" : "root", "select queue_disable_insert from pgq.queue") == "f");
}

TEST_CASE("with --all everybody reads from the new root, and nothing is left at the old one") {
  RoamingSet s({{"root"}, {"branch", "root"}, {"branch2", "branch"}, {"leaf", "root"}});
  auto o = s.role("leaf", {"switchover", "--to", "branch2", "--all"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  s.c.root_is("branch2");
  s.c.query("branch2", "insert into ledger values (1, 1, 0)");
  s.c.sync_all();
  CHECK(s.types() == "root < branch2; branch < branch2; branch2 < branch2; leaf < branch2; ");
  std::string subscribers =
      "select coalesce(string_agg(subscriber_node, ',' order by subscriber_node), '') from pgq_node.subscriber_info";
  CHECK(s.c.query("root", subscribers) == "");
  CHECK(s.c.query("branch", subscribers) == "");
  CHECK(s.c.query("branch2", subscribers) == "branch,leaf,root");
}

TEST_CASE("killed after any step, the same command completes what is left") {
  RoamingSet s;
  std::vector<std::string> roots{"root", "branch"};
  int kills = 0;
  RoamingLoad load(s.conninfos(roots));
  for (int step = 1;; ++step) {
    INFO("killed after step " << step);
    std::string to = roots[static_cast<std::size_t>(step % 2)];
    auto start = load.committed();
    REQUIRE(eventually(seconds(20), [&] { return load.committed() > start + 5; }));
    auto killed = s.role("leaf", {"switchover", "--to", to},
                         {.env = {{"SKYTOOLS_FAILPOINTS", "cascade.step=crash@" + std::to_string(step)}}});
    kills += killed.exit != 0;
    auto again = s.role("leaf", {"switchover", "--to", to});
    REQUIRE_MESSAGE(again.exit == 0, again.err);
    s.c.root_is(to);
    auto before = load.committed();
    CHECK(eventually(seconds(20), [&] { return load.committed() > before + 5; }));
    load.hold();
    s.expect_equal(load);
    load.go();
    if (killed.exit == 0) break;
  }
  CHECK(kills >= 8);
}
