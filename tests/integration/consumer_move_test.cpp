// `skytools consumer move` and `split`: every byte arrives, once, in order, whenever it is killed.
#include <doctest/doctest.h>

#include "tests/support/consumer.h"

using namespace skytools;
using test::failing;
using test::QueueWorld;

namespace {

constexpr const char* kPoints[] = {"consumer.after_next",           "consumer.event",
                                   "consumer.before_target_commit", "consumer.after_target_commit",
                                   "consumer.before_finish",        "consumer.after_finish"};

struct MoveWorld : QueueWorld {
  test::Database to;
  MoveWorld() { to.query("select pgq.create_queue('there')"); }
  std::vector<std::string> args(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--to", to.conninfo(), "--to-queue", "there"});
    return more;
  }
  std::vector<std::string> split_args(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--to", to.conninfo()});
    return more;
  }
  std::string there(const std::string& what) const {
    return to.query("select " + what + " from pgq.event_template where ev_id > 0");
  }
};

}  // namespace

TEST_CASE("type, data, extras and time arrive as they were; ids are the target's") {
  MoveWorld w;
  w.query(
      "select pgq.insert_event('q', 'k', E'tab\\tnl\\nback\\\\ \\\\N żółć', '', null, E'\\\\', 'x'), "
      "pgq.insert_event('q', null, null), pgq.insert_event('q', 'big', repeat('0123456789', 300000))");
  w.insert(50000);
  w.tick();
  w.to.query("select pgq.insert_event('there', 'old', 'old')");
  w.drain("move", w.args());
  std::string sum =
      "count(*), sum(hashtextextended(row(ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, "
      "ev_extra4)::text, 0))";
  CHECK(w.query("select " + sum + " from pgq.event_template") ==
        w.to.query("select " + sum + " from pgq.event_template where ev_type is distinct from 'old'"));
  CHECK(w.there("min(ev_id), max(ev_id)") == "1|50004");
  CHECK(w.there("array_agg(ev_data order by ev_id) filter (where ev_type = 't') = array_agg(ev_data order by "
                "ev_data::int) filter (where ev_type = 't')") == "t");
  CHECK(w.to.query("select consumer_id, last_tick_id from pgq_ext.completed_tick where subconsumer_id = ''") == "c|2");
}

TEST_CASE("killed anywhere, each event arrives once") {
  MoveWorld w;
  int sent = 0;
  for (const char* point : kPoints) {
    CAPTURE(point);
    w.batch(20);
    sent += 20;
    CHECK(w.run("move", w.args({"--once"}), failing(std::string(point) + "=crash@1")).exit == 128 + 9);
    w.drain("move", w.args());
    CHECK(w.there("count(*)") == std::to_string(sent));
  }
}

TEST_CASE("a position that does not fit is refused; --rewind and --reset choose") {
  MoveWorld w;
  for (int i = 0; i < 4; ++i) w.batch(10);
  w.drain("move", w.args());
  w.query("select pgq.register_consumer_at('q', 'c', 2)");
  test::Output o = w.run("move", w.args({"--once"}));
  CHECK(o.exit == 1);
  CHECK(o.err.find("has tick 5, but queue 'q' has consumer 'c' at tick 2; --rewind moves the queue") !=
        std::string::npos);
  CHECK(w.run("move", w.args({"--rewind"})).exit == 0);
  w.drain("move", w.args());
  CHECK(w.there("count(*)") == "40");
  w.query("select pgq.register_consumer_at('q', 'c', 4)");
  CHECK(w.run("move", w.args({"--reset"})).exit == 0);
  w.drain("move", w.args());
  CHECK(w.there("count(*)") == "50");
}

TEST_CASE("a role that may only call functions moves events, too") {
  MoveWorld w;
  w.to.query(
      "do $$ begin create role mover_test login in role pgq_writer; exception when duplicate_object then null; end $$");
  w.query("select pgq.insert_event('q', 'k', E'tab\\t \\\\N', null, '', 'e3', 'e4')");
  w.batch(100);
  auto args = std::vector<std::string>{"--to", w.to.conninfo() + " user=mover_test", "--to-queue", "there"};
  w.drain("move", args);
  CHECK(w.there("count(*)") == "101");
  CHECK(w.to.query("select ev_data, ev_extra1, ev_extra2, ev_extra4 from pgq.event_template where ev_type = 'k'") ==
        "tab\t \\N|NULL||e4");
  CHECK(w.to.query("select has_table_privilege('mover_test', pgq.current_event_table('there'), 'insert')") == "f");
}

TEST_CASE("what is missing is named") {
  MoveWorld w;
  w.batch(1);
  test::Output o = w.run("move", {"--once", "--to", w.to.conninfo(), "--to-queue", "nowhere"});
  CHECK(o.exit == 1);
  CHECK(o.err.find("queue 'nowhere' does not exist; create it with: skytools queue create nowhere") !=
        std::string::npos);
  w.to.query("drop schema pgq_ext cascade");
  o = w.run("move", w.args({"--once"}));
  CHECK(o.exit == 6);
  CHECK(o.err.find("skytools install pgq_ext") != std::string::npos);
  CHECK(w.run("move", {"--once"}).exit == 2);
}

TEST_CASE("split spreads by a field, in one transaction, and makes queues when asked to") {
  MoveWorld w;
  w.query(
      "select count(pgq.insert_event('q', 't' || g % 3, g::text, 'public.tab' || g % 2, null, null, null)) from "
      "generate_series(1, 600) g");
  w.tick();
  test::Output o = w.run("split", w.split_args({"--once"}));
  CHECK(o.exit == 1);
  CHECK(o.err.find("queue 'public.tab") != std::string::npos);
  CHECK(o.err.find("--create-queues makes missing ones") != std::string::npos);
  CHECK(w.there("count(*)") == "0");
  CHECK(
      w.run("split", w.split_args({"--once", "--create-queues"}), failing("consumer.after_target_commit=crash")).exit ==
      128 + 9);
  w.drain("split", w.split_args());
  CHECK(w.to.query("select queue_name, count(*) from pgq.event_template e join pgq.queue q on e.tableoid in (select "
                   "inhrelid from pg_inherits where inhparent = (q.queue_data_pfx)::regclass) group by 1 order by 1") ==
        "public.tab0|300\npublic.tab1|300");
  w.query("select pgq.register_consumer('q', 'c2'); select pgq.register_consumer_at('q', 'c2', 1)");
  auto args = w.split_args({"--consumer", "c2", "--field", "type", "--prefix", "x_", "--create-queues"});
  w.drain("split", args);
  CHECK(w.to.query("select count(*) from pgq.queue where queue_name in ('x_t0', 'x_t1', 'x_t2')") == "3");
  w.query("select pgq.insert_event('q', 't', 'no table')");
  w.tick();
  CHECK(w.run("split", w.split_args({"--once"})).err.find("has no extra1, which names its queue") != std::string::npos);
  CHECK(w.run("split", w.split_args({"--field", "data"})).exit == 2);
}

TEST_CASE("two of the same name at once move a batch once") {
  MoveWorld w;
  w.to.query(
      "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return new; end $$;"
      "create trigger slow before insert on pgq.event_1_0 for each row execute function slow()");
  w.batch(1);
  test::Background other(w.command("move", w.args({"--once"})));
  CHECK(test::eventually(std::chrono::seconds(20), [&] {
    return w.to.query(
               "select count(*) from pg_stat_activity where datname = current_database()"
               " and wait_event = 'PgSleep'") == "1";
  }));
  test::Output o = w.run("move", w.args({"--once"}));
  CHECK(o.exit == 1);
  CHECK(o.err.find("was applied by somebody else") != std::string::npos);
  CHECK(other.wait(std::chrono::seconds(20)) == 0);
  CHECK(w.there("count(*)") == "1");
}

TEST_CASE("movers of the same name that stand at the same tick of two queues are told apart") {
  MoveWorld one;
  QueueWorld two;
  one.batch(1);
  two.batch(1);
  one.drain("move", one.args());
  // As when both have been at work since their first batch: this one's position fits the other's by chance.
  two.query("select pgq.next_batch('q', 'c')");
  test::Output o = two.run("move", one.args({"--once"}));
  CHECK(o.exit == 1);
  CHECK(o.err.find("from another queue or database") != std::string::npos);
  CHECK(one.there("count(*)") == "1");
  CHECK(two.query("select sub_batch is not null from pgq.subscription") == "t");
  CHECK(two.run("move", one.args({"--reset"})).exit == 0);
  two.drain("move", one.args());
  CHECK(one.there("count(*)") == "2");
}

TEST_CASE("a queue is not moved to itself") {
  MoveWorld w;
  w.batch(1);
  test::Output o = w.run("move", {"--once", "--to", w.conninfo()});
  CHECK(o.exit == 1);
  CHECK(o.err.find("is the one that is read") != std::string::npos);
  w.query("select pgq.insert_event('q', 't', 'd', 'q', null, null, null)");
  w.tick();
  CHECK(w.run("split", {"--once", "--to", w.conninfo(), "--create-queues"}).exit == 1);
}
