// Merge leaves: parts of a table in several databases, merged into a combined queue, and a copy of that. Roles of the
// combined node may change under the running workers.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/support/merge.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::kWorker;
using test::Merge;

TEST_CASE("a merge leaf copies each event once into the combined queue, with its position last") {
  Merge m(false);
  m.start_all();
  m.add_table();
  m.settle();
  std::string before = m.merged_events("hub");
  m.query("s1", "insert into t values (1, 'a'), (2, 'b')");
  std::int64_t tick1 = m.tick("s1", "p1");
  m.reach("hub", "p1", tick1);
  m.query("s2", "begin; insert into t values (1001, 'c'); update t set v = 'd' where id = 1001; delete from t; commit");
  std::int64_t tick2 = m.tick("s2", "p2");
  m.reach("hub", "p2", tick2);
  CHECK(m.rows("hub") == "1|a\n2|b");
  std::string data = m.merged_events("hub", "and ev_type <> 'pgq.tick-id'");
  CHECK(data ==
        "I:id|id=1&v=a|public.t\nI:id|id=2&v=b|public.t\nI:id|id=1001&v=c|public.t\n"
        "U:id|id=1001&v=d|public.t\nD:id|id=1001&v=d|public.t");
  // One position per batch, an empty one too, as the last event of its transaction.
  CHECK(m.query("hub",
                "select count(*), count(distinct (ev_extra1, ev_data)) from pgq.event_template where ev_type = "
                "'pgq.tick-id' and (ev_extra1, ev_data) in (('p1', '" +
                    std::to_string(tick1) + "'), ('p2', '" + std::to_string(tick2) + "'))") == "2|2");
  CHECK(m.query("hub",
                "select count(*) from pgq.event_template e where ev_type = 'pgq.tick-id' and exists (select 1 from "
                "pgq.event_template l where l.ev_txid = e.ev_txid and l.ev_id > e.ev_id)") == "0");
  std::int64_t empty = m.tick("s1", "p1");
  m.reach("hub", "p1", empty);
  CHECK(m.query("hub",
                "select count(*) from pgq.event_template where ev_type = 'pgq.tick-id' and ev_extra1 = 'p1' and "
                "ev_data = '" +
                    std::to_string(empty) + "'") == "1");
  // What concerns the part's own set stays with it.
  CHECK(
      m.query("hub",
              "select count(*) from pgq.event_template where ev_extra1 in ('p1', 'p2') and ev_type <> 'pgq.tick-id'") ==
      "0");
  CHECK(m.errors("hub") == "");
}

TEST_CASE("a crash between commit and finish repeats nothing") {
  Merge m(false);
  m.start_all();
  m.add_table();
  for (auto* point : {"worker.before_commit", "worker.after_commit", "worker.after_finish"}) {
    CAPTURE(point);
    m.stop("hub", "p1");
    m.query("s1", std::string("insert into t select coalesce(max(id), 0) + 1, '") + point + "' from t");
    std::int64_t wanted = m.tick("s1", "p1");
    auto& doomed = m.start("hub", "p1", kWorker, {.env = {{"SKYTOOLS_FAILPOINTS", std::string(point) + "=crash"}}});
    REQUIRE(eventually(seconds(20), [&] { return !doomed.running(); }));
    m.start("hub", "p1", kWorker);
    m.reach("hub", "p1", wanted);
  }
  CHECK(m.rows("hub") == m.all_rows());
  CHECK(m.query("hub", "select count(*) from pgq.event_template where ev_extra1 = 'public.t'") == "3");
}

TEST_CASE("behind a combined branch a merge leaf follows the combined queue and is never ahead of it") {
  Merge m;
  m.start_all();
  m.add_table();
  m.query("s1", "insert into t values (1, 'a')");
  m.query("s2", "insert into t values (1001, 'b')");
  m.settle();
  CHECK(m.rows("mirror") == "1|a\n1001|b");
  CHECK(m.merged_events("mirror", "and ev_type <> 'pgq.tick-id'") ==
        m.merged_events("hub", "and ev_type <> 'pgq.tick-id'"));

  // With the combined branch standing still, its merge leaves stand, too.
  m.stop("mirror", "all");
  std::int64_t stood = m.position("mirror", "p1");
  m.query("s1", "insert into t values (2, 'c')");
  std::int64_t wanted = m.tick("s1", "p1");
  m.reach("hub", "p1", wanted);
  CHECK_FALSE(eventually(milliseconds(1500), [&] { return m.position("mirror", "p1") != stood; }));
  CHECK(m.rows("mirror") == "1|a\n1001|b");
  // It answers all the same.
  m.query("mirror", "select * from pgq_node.set_consumer_uptodate('p1', 'p1_mirror_p1', false)");
  CHECK(eventually(seconds(5),
                   [&] { return m.query("mirror", "select uptodate from pgq_node.get_worker_state('p1')") == "t"; }));
  m.start("mirror", "all", kWorker);
  m.reach("mirror", "p1", wanted);
  CHECK(m.rows("mirror") == "1|a\n2|c\n1001|b");

  // Events about the part's set are carried out: a table and a member more.
  m.query("s1", "create table u (id int primary key)");
  m.run("londiste", "s1", "p1", {"add-table", "u"});
  std::string told = "select count(*) from londiste.table_info where queue_name = 'p1' and table_name = 'public.u'";
  m.tick("s1", "p1");
  m.tick("s1", "p1");
  CHECK(eventually(seconds(20), [&] { return m.query("mirror", told) == "1"; }));
  m.run("londiste", "s1", "p1", {"add-table", "u"});
  CHECK(m.errors("mirror") == "");
}

TEST_CASE("the watermark of a waiting merge leaf follows its position") {
  Merge m;
  for (auto* part : {"p1", "p2"}) m.start(Merge::shard(part), part, kWorker);
  for (auto* db : {"hub", "mirror"})
    for (auto* queue : {"all", "p1", "p2"})
      m.start(db, queue, {"londiste", "worker", "--local-wm-publish-period", "100ms"});
  std::int64_t wanted = m.tick("s1", "p1");
  m.reach("mirror", "p1", wanted);
  std::string watermark =
      "select coalesce(max(node_watermark), 0) from pgq_node.get_subscriber_info('p1') where node_name = 'mirror_p1'";
  CHECK(eventually(seconds(20), [&] {
    m.tick("s1", "p1");
    return std::stoll(m.query("s1", watermark)) >= wanted;
  }));
  m.stop("mirror", "all");
  std::int64_t stood = m.position("mirror", "p1");
  for (int i = 0; i < 5; ++i) m.reach("hub", "p1", m.tick("s1", "p1"));
  CHECK(std::stoll(m.query("s1", watermark)) <= stood);
  CHECK(m.errors("mirror") == "");
}

TEST_CASE("the combined node becomes the root and a branch again while its merge leaves run") {
  Merge m;
  m.start_all();
  m.add_table();
  int id = 0;
  auto write = [&] {
    ++id;
    m.query("s1", "insert into t values (" + std::to_string(id) + ", 'x')");
    m.query("s2", "insert into t values (" + std::to_string(1000 + id) + ", 'y')");
  };
  auto pause = [&](const std::string& db, const std::string& queue, bool on) {
    std::string state = "select paused, uptodate from pgq_node.get_worker_state('" + queue + "')";
    m.query(db, "select * from pgq_node.set_consumer_paused('" + queue + "', '" + queue + "_" + db + "_" + queue +
                    "', " + (on ? "true" : "false") + ")");
    REQUIRE(eventually(seconds(10), [&] { return m.query(db, state) == (on ? "t|t" : "f|t"); }));
  };
  // The steps of a planned role change of `all`, with the merge leaves running on both sides.
  auto switch_all = [&](const std::string& from, const std::string& to) {
    auto node = [](const std::string& db) { return test::Net::node_name(db, "all"); };
    for (auto* part : {"p1", "p2"}) pause(from, part, true);
    for (auto* part : {"p1", "p2"}) m.reach(to, part, m.position(from, part));
    pause(from, "all", true);
    m.query(from, "select * from pgq_node.demote_root('all', 1, null)");
    std::string last = m.query(from, "select last_tick from pgq_node.demote_root('all', 2, null)");
    m.reach(to, "all", std::stoll(last));
    pause(to, "all", true);
    m.query(to, "select * from pgq_node.promote_branch('all')");
    m.query(to, "select * from pgq_node.register_subscriber('all', '" + node(from) + "', 'all_" + node(from) + "', " +
                    last + ")");
    m.query(from, "select * from pgq_node.unregister_subscriber('all', '" + node(to) + "')");
    pause(to, "all", false);
    m.query(from, "select * from pgq_node.demote_root('all', 3, '" + node(to) + "')");
    pause(from, "all", false);
    for (auto* part : {"p1", "p2"}) pause(from, part, false);
  };
  auto check = [&](const std::string& from, const std::string& to) {
    for (auto* part : {"p1", "p2"}) {
      std::int64_t wanted = m.tick(Merge::shard(part), part);
      m.reach(to, part, wanted);
      m.reach(from, part, wanted);
    }
    m.reach(from, "all", m.tick(to, "all"));
    CHECK(m.rows("hub") == m.all_rows());
    CHECK(m.rows("mirror") == m.all_rows());
    CHECK(m.merged_events("hub", "and ev_type <> 'pgq.tick-id'") ==
          m.merged_events("mirror", "and ev_type <> 'pgq.tick-id'"));
    CHECK(m.errors("hub") == "");
    CHECK(m.errors("mirror") == "");
  };
  write();
  check("mirror", "hub");
  write();
  switch_all("hub", "mirror");
  write();
  check("hub", "mirror");
  write();
  switch_all("mirror", "hub");
  write();
  check("mirror", "hub");
}

TEST_CASE("while the combined queue is closed nothing is merged, and nothing is lost") {
  Merge m(false);
  m.start_all();
  m.add_table();
  m.settle();
  m.query("hub", "select * from pgq_node.demote_root('all', 1, null)");
  std::string events = m.query("hub", "select count(*) from pgq.event_template");
  std::int64_t stood = m.position("hub", "p1");
  m.query("s1", "insert into t values (1, 'a')");
  std::int64_t wanted = m.tick("s1", "p1");
  CHECK_FALSE(eventually(milliseconds(1500), [&] { return m.position("hub", "p1") >= wanted; }));
  CHECK(m.query("hub", "select count(*) from pgq.event_template") == events);
  CHECK(m.errors("hub") == "");
  m.query("hub", "select * from pgq_node.demote_root('all', 0, null)");
  m.reach("hub", "p1", wanted);
  CHECK(m.rows("hub") == "1|a");
  CHECK(stood < wanted);
}

TEST_CASE("add-table refuses several parts unless told what to do with them") {
  Merge m(false);
  m.start_all();
  for (auto* part : {"p1", "p2"}) {
    m.run("londiste", Merge::shard(part), part, {"add-table", "t"});
    m.reach("hub", part, m.tick(Merge::shard(part), part));
  }
  test::Output o = m.try_run("londiste", "hub", "p1", {"add-table", "t"});
  CHECK(o.exit == 1);
  CHECK(o.err.find("Found multiple sources for table public.t, use merge-all or no-merge to continue") !=
        std::string::npos);
  CHECK(m.query("hub", "select count(*) from londiste.table_info where local") == "0");
  m.run("londiste", "hub", "p1", {"add-table", "t", "--no-merge"});
  CHECK(m.query("hub", "select string_agg(queue_name, ',' order by 1) from londiste.table_info where local") == "p1");
}

TEST_CASE("create-leaf --merge needs a queue with a root or branch here") {
  Merge m(false);
  test::Output o = m.try_run("londiste", "hub", "p1", {"create-leaf", "hub_p1", "--provider", m.conninfo("s1")});
  CHECK(o.exit == 1);
  CHECK(o.err.find("merging into all") != std::string::npos);
  m.node("hub", "p1", "leaf", "s1", {"--merge", "all"});  // again: already so
  o = m.try_run("londiste", "s2", "p1", {"create-leaf", "x", "--provider", m.conninfo("s1"), "--merge", "nothing"});
  CHECK(o.exit == 1);
  CHECK(o.err.find("there is no node of queue nothing to merge into") != std::string::npos);
  CHECK(m.query("s1", "select count(*) from pgq_node.node_location where node_name = 'x'") == "0");
}
