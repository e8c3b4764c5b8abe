// `skytools consumer coop`: members of a group as processes, takeover, and a parent that keeps them running.
#include <doctest/doctest.h>

#include <csignal>

#include "core/pg/transaction.h"
#include "tests/support/consumer.h"

using namespace skytools;
using namespace std::chrono_literals;
using test::eventually;
using test::QueueWorld;

namespace {

constexpr milliseconds kPatience = 30s;

struct CoopWorld : QueueWorld {
  /// Every event's data is appended to the file; a slow one takes its time.
  std::string keep(const std::string& seconds = "0") const {
    return script("  sleep " + seconds + "; echo $data >> " + path("seen") + "; echo ack $id");
  }
  bool all_done() const {
    return query("select count(*) from pgq.subscription where sub_batch is not null") == "0" &&
           query(
               "select sub_last_tick = (select max(tick_id) from pgq.tick) from pgq.subscription join pgq.consumer on "
               "co_id = sub_consumer where co_name = 'c'") == "t";
  }
  std::size_t seen() const {
    std::string text = read("seen");
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  std::string members() const { return query("select count(*) from pgq.consumer where co_name like 'c.%'"); }
};

}  // namespace

TEST_CASE("members share the batches of the group") {
  CoopWorld w;
  test::Background a(w.command("coop", {"--subconsumer", "a", "--exec", w.keep("0.05")}));
  test::Background b(w.command("coop", {"--subconsumer", "b", "--exec", w.keep("0.05")}));
  REQUIRE(eventually(kPatience, [&] { return w.members() == "2"; }));
  for (int i = 0; i < 20; ++i) w.batch(5);
  CHECK(eventually(kPatience, [&] { return w.all_done(); }));
  CHECK(w.seen() == 100);
  CHECK(a.stop() == 0);
  CHECK(b.stop() == 0);
  for (auto* one : {&a, &b}) CHECK_FALSE(one->logged("count=0 batches=0"));
  CHECK(a.logged("subconsumer=a"));
}

TEST_CASE("the batch of a dead member is taken over, not before its time") {
  CoopWorld w;
  w.batch(3);
  {
    test::Background a(w.command("coop", {"--subconsumer", "a", "--exec", w.keep("600")}));
    REQUIRE(eventually(kPatience, [&] {
      return w.query("select count(*) from pgq.subscription where sub_batch is not null") == "1";
    }));
    a.kill();
  }
  CHECK(w.run("coop", {"--subconsumer", "b", "--exec", w.keep(), "--once", "--subconsumer-timeout", "1h"}).exit == 0);
  CHECK(w.seen() == 0);
  w.query("update pgq.subscription set sub_active = now() - interval '2 hours'");
  CHECK(w.run("coop", {"--subconsumer", "b", "--exec", w.keep(), "--once", "--subconsumer-timeout", "1h"}).exit == 0);
  CHECK(w.seen() == 3);
  CHECK(w.all_done());
}

TEST_CASE("a member whose batch was taken over cannot finish it any more: its work is rolled back") {
  CoopWorld w;
  w.query("create table got (id bigint, who text)");
  w.batch(3);
  pg::Connection holder("test", w.conninfo());
  pg::Transaction hold(holder);
  hold.exec("select pg_advisory_xact_lock(7)");
  test::Background late(w.command("coop", {"--subconsumer", "late", "--sql",
                                           "insert into got select $4, 'late' from pg_advisory_xact_lock_shared(7)"}));
  REQUIRE(eventually(kPatience, [&] {
    return w.query("select count(*) from pg_locks where locktype = 'advisory' and objid = 7 and not granted") == "1";
  }));
  w.query("update pgq.subscription set sub_active = now() - interval '2 hours'");
  CHECK(w.run("coop", {"--subconsumer", "quick", "--sql", "insert into got values ($4, 'quick')", "--once",
                       "--subconsumer-timeout", "1h"})
            .exit == 0);
  hold.rollback();
  CHECK(eventually(kPatience, [&] { return late.logged("was taken away while it was worked on"); }));
  CHECK(late.stop() == 0);
  CHECK(w.query("select who, count(*) from got group by 1") == "quick|3");
  CHECK(w.all_done());
}

TEST_CASE("a parent runs members as processes, starts a killed one again and ends them all") {
  CoopWorld w;
  test::Background parent(w.command("coop", {"--workers", "3", "--subconsumer", "w", "--exec", w.keep()}));
  REQUIRE(eventually(kPatience, [&] { return w.members() == "3"; }));
  CHECK(w.query("select string_agg(co_name, ' ' order by co_name) from pgq.consumer where co_name like 'c.%'") ==
        "c.w-1 c.w-2 c.w-3");
  auto pids = [&] {
    return w.query(
        "select string_agg(pid::text, ' ' order by pid) from pg_stat_activity where application_name = 'skytools "
        "consumer' and datname = current_database()");
  };
  std::string children = test::run_program({"pgrep", "-P", std::to_string(parent.pid())}).out;
  REQUIRE(std::count(children.begin(), children.end(), '\n') == 3);
  kill(std::stoi(children), SIGKILL);
  CHECK(eventually(kPatience, [&] { return parent.logged("worker ended, it is started again"); }));
  CHECK(eventually(kPatience, [&] {
    std::string now = test::run_program({"pgrep", "-P", std::to_string(parent.pid())}).out;
    return std::count(now.begin(), now.end(), '\n') == 3;
  }));
  for (int i = 0; i < 10; ++i) w.batch(10);
  CHECK(eventually(kPatience, [&] { return w.all_done(); }));
  CHECK(w.seen() == 100);
  CHECK(parent.stop() == 0);
  CHECK(eventually(kPatience, [&] { return pids() == "NULL"; }));
}

TEST_CASE("--once with workers drains and ends; a failure is told by the exit code") {
  CoopWorld w;
  for (int i = 0; i < 6; ++i) w.batch(10);
  CHECK(w.run("coop", {"--workers", "2", "--once", "--exec", w.keep()}).exit == 0);
  CHECK(w.seen() == 60);
  CHECK(w.all_done());
  w.batch(1);
  CHECK(w.run("coop", {"--workers", "2", "--once", "--exec", "exit 3"}).exit == 1);
}

TEST_CASE("usage") {
  CoopWorld w;
  CHECK(w.run("coop", {"--exec", "cat"}).exit == 2);
  CHECK(w.run("coop", {"--exec", "cat", "--subconsumer", "a.b"}).exit == 2);
  CHECK(w.run("coop", {"--subconsumer", "a"}).exit == 2);
  CHECK(w.run("coop", {"--exec", "cat", "--workers", "2", "--consumer", "new"}).exit == 1);
  w.query("drop schema pgq_coop cascade");
  auto o = w.run("coop", {"--exec", "cat", "--subconsumer", "a"});
  CHECK(o.exit == 6);
  CHECK(o.err.find("skytools install pgq_coop") != std::string::npos);
}
