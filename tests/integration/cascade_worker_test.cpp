// The worker of a node: mirroring, pause, one worker per node, watermarks, topology events.
#include <doctest/doctest.h>

#include "tests/support/cascade.h"

using namespace skytools;
using std::chrono::seconds;
using test::Cascade;
using test::eventually;

namespace {

constexpr const char* kEvents =
    "select ev_id, ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4, ev_owner, ev_retry from "
    "pgq.event_template order by ev_id";
constexpr const char* kTicks =
    "select tick_id, tick_time, tick_event_seq from pgq.tick t join pgq.queue on queue_id = tick_queue where tick_id > "
    "1 order by tick_id";

}  // namespace

TEST_CASE("a branch has the root's events and ticks one to one, byte for byte") {
  Cascade c({{"root"}, {"branch", "root"}});
  c.query("root", "create table t (id int primary key, \"Odd & col\" text, raw bytea)");
  c.start_all();
  c.add_tables({"t"}, {"--create"});
  std::string from = std::to_string(c.tick());
  c.sync("branch");
  c.query("root",
          "insert into t values (1, E'tab\\tnl\\nbs\\\\ \\\\N żółć', '\\x00ff0a'), (2, '', null), (3, null, '')");
  c.query("root", "select pgq.insert_event('set', 'I:id', 'id=5', 'public.not_here', E'e2\\t\\n\\\\', '', 'e4')");
  c.query("root", "select pgq.insert_event('set', 'I:id', null, 'public.not_here', null, '\\N', null)");
  c.query("root", "select pgq.insert_event('set', 'I:id', '', 'public.not_here', null, null, null)");
  c.sync("branch");
  c.query("root",
          "begin; update t set \"Odd & col\" = repeat('long ', 300000) where id = 1; truncate t; insert into t select "
          "g, 'x', 'y' from generate_series(1, 20000) g; commit");
  for (int i = 0; i < 4; ++i) c.tick();  // empty batches
  c.stop_ticker();                       // from here on both stand still
  c.sync("branch");
  std::string events = std::string("select * from (") + kEvents + ") e where ev_id > 0";
  CHECK(c.query("root", events) == c.query("branch", events));
  CHECK(c.query("root", "select count(*) > 20000 from pgq.event_template") == "t");
  std::string ticks = std::string("select * from (") + kTicks + ") t where tick_id >= " + from;
  CHECK(c.query("root", ticks) == c.query("branch", ticks));
  CHECK(c.query("branch", "select count(*) > 4 from pgq.tick") == "t");
  // Every event must be in the batch between the same two ticks on both.
  std::string batches =
      "select t.tick_id, (select string_agg(ev_id::text, ',' order by ev_id) from pgq.event_template e where "
      "txid_visible_in_snapshot(e.ev_txid, t.tick_snapshot)"
      " and not txid_visible_in_snapshot(e.ev_txid, p.tick_snapshot)) from pgq.tick t join pgq.tick p on p.tick_id = "
      "t.tick_id - 1 where t.tick_id > " +
      from + " order by 1";
  CHECK(c.query("root", batches) == c.query("branch", batches));
  CHECK_THROWS_WITH(c.query("branch", "insert into t values (-1)"), doctest::Contains("disallowed"));
}

TEST_CASE("pause is acknowledged and honoured; resume goes on where it stopped") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.everywhere("create table t (id int primary key)");
  c.start_all();
  c.add_tables({"t"});
  std::string state = "select paused, uptodate from pgq_node.get_worker_state('set')";
  c.query("leaf", "select * from pgq_node.set_consumer_paused('set', 'set_leaf', true)");
  CHECK(eventually(seconds(10), [&] { return c.query("leaf", state) == "t|t"; }));
  c.query("root", "insert into t values (1)");
  std::int64_t tick = c.tick();
  std::int64_t paused_at = c.position("leaf");
  CHECK(paused_at < tick);
  c.tick();
  CHECK_FALSE(eventually(milliseconds(1500), [&] { return c.position("leaf") != paused_at; }));
  CHECK(c.query("leaf", "select count(*) from t") == "0");
  CHECK(c.run("leaf", {"status"}).find("PAUSED") != std::string::npos);
  c.query("leaf", "select * from pgq_node.set_consumer_paused('set', 'set_leaf', false)");
  CHECK(eventually(seconds(10), [&] { return c.query("leaf", state) == "f|t"; }));
  c.sync("leaf");
  CHECK(c.query("leaf", "select count(*) from t") == "1");
  // A paused worker stops at once, too.
  c.query("leaf", "select * from pgq_node.set_consumer_paused('set', 'set_leaf', true)");
  REQUIRE(eventually(seconds(10), [&] { return c.query("leaf", state) == "t|t"; }));
  auto start = Clock::now();
  c.stop("leaf");
  CHECK(Clock::now() - start < seconds(3));
}

TEST_CASE("a second worker of a node is refused, and may start when the first is gone") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.start_all();
  c.sync("leaf");
  for (auto* node : {"root", "leaf"}) {
    test::Output o = c.try_run(node, {"worker"});
    CHECK(o.exit == 5);
    CHECK(o.err.find("another worker of queue set is running") != std::string::npos);
  }
  CHECK(c.worker("leaf").running());
  c.worker("leaf").kill();
  CHECK(eventually(seconds(10), [&] { return c.try_run("leaf", {"worker", "--once"}).exit == 0; }));
}

TEST_CASE("--once applies what is there and ends") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.everywhere("create table t (id int primary key)");
  c.query("root", "insert into t values (1)");
  c.run("root", {"add-table", "t"});
  c.run("leaf", {"add-table", "t"});
  CHECK(c.try_run("leaf", {"worker", "--once"}).exit == 0);  // waits for the copy
  CHECK(c.query("leaf", "select count(*) from t") == "1");
  c.query("root", "insert into t values (2)");
  c.tick();
  CHECK(c.try_run("leaf", {"worker", "--once"}).exit == 0);
  CHECK(c.difference({"t"}) == "");
  CHECK(c.leftovers() == "");
  CHECK(c.try_run("root", {"worker", "--once"}).exit == 0);
}

TEST_CASE("watermarks travel up, the global one down") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  for (auto* node : {"root", "branch", "leaf"})
    c.start(node, {},
            {"--local-wm-publish-period", "100ms", "--global-wm-publish-period", "200ms", "--loop-delay", "100ms"});
  auto watermark = [&](const char* node, const char* kind) {
    return std::stoll(
        c.query(node, std::string("select coalesce(") + kind + "_watermark, 0) from pgq_node.get_node_info('set')"));
  };
  std::int64_t wanted = c.tick();
  CHECK(eventually(seconds(20), [&] {
    c.tick();
    return watermark("branch", "local") >= wanted && watermark("root", "local") >= wanted;
  }));
  CHECK(eventually(seconds(20), [&] {
    c.tick();
    return watermark("root", "global") >= wanted && watermark("branch", "global") >= wanted;
  }));
  // Nothing that a node still needs may be given up.
  c.worker("leaf").kill();
  std::int64_t left_at = c.position("leaf");
  for (int i = 0; i < 20; ++i) c.tick();
  CHECK(watermark("branch", "local") <= left_at + 1);
  CHECK(watermark("root", "global") <= left_at + 1);
}

TEST_CASE("members known everywhere, and the tables of a set reach nodes made later") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}, {"leaf2", "root"}});
  c.start_all();
  c.everywhere("create table t (id int primary key)");
  c.run("root", {"add-table", "t"});
  c.sync_all();
  std::string members =
      "select string_agg(node_name || ' ' || dead, ', ' order by node_name) from pgq_node.get_queue_locations('set')";
  for (auto* node : {"root", "branch", "leaf", "leaf2"}) {
    CAPTURE(node);
    CHECK(c.query(node, members) == "branch false, leaf false, leaf2 false, root false");
    CHECK(c.query(node, "select table_name from londiste.get_table_list('set')") == "public.t");
  }
}

TEST_CASE("a link that breaks is made again, and the node's error says so meanwhile") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.everywhere("create table t (id int primary key)");
  c.start_all();
  c.add_tables({"t"});
  for (int i = 0; i < 3; ++i) {
    for (auto* node : {"root", "leaf"})
      c.query(node,
              "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'skytools "
              "worker' and datname = current_database()");
    c.query("root", "insert into t values (" + std::to_string(i) + ")");
    c.sync("leaf");
  }
  CHECK(c.difference({"t"}) == "");
  CHECK(eventually(seconds(5), [&] { return c.error("leaf") == ""; }));
  CHECK(c.worker("leaf").logged("terminat"));
}
