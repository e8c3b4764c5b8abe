// A root's last tick has every event of the queue: producers that read the queue as open are waited for, or refused.
#include "tests/support/queue.h"

using namespace skytools;
using test::Session;

namespace {

struct Root : test::Queue {
  Root() {
    pg::Connection c("test", conninfo());
    schema::install(c, {});
    query("select pgq_node.register_location('q', 'n', 'host=here', false)");
    query("select pgq_node.create_node('q', 'root', 'n', 'w', null, null, null)");
  }
  void demote(int step) const { query("select pgq_node.demote_root('q', " + std::to_string(step) + ", null)"); }
  /// Events that no batch up to the newest tick shows.
  std::string behind_last_tick() const {
    return query(
        "select count(*) from pgq.event_1 where not txid_visible_in_snapshot(ev_txid, (select tick_snapshot from "
        "pgq.tick order by tick_id desc limit 1))");
  }
};

}  // namespace

TEST_CASE(
    "a producer that was held up between its look at the queue and its insert does not come behind the last tick") {
  Root db;
  Session holder(db.conninfo()), producer(db.conninfo());
  producer.ask("select 1");
  holder.run("alter sequence pgq.event_1_id_seq cache 1");  // makes nextval() wait, which comes in between
  auto refused =
      std::async(std::launch::async, [&] { return producer.sqlstate_of("select pgq.insert_event('q', 't', 'x')"); });
  REQUIRE(test::eventually(test::kPatience, [&] { return db.waits_for_lock(producer); }));
  db.demote(1);
  auto demoted = std::async(std::launch::async, [&] { db.demote(2); });  // has the tables, and waits for the same
  REQUIRE(test::eventually(test::kPatience, [&] {
    return db.query("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == "2";
  }));
  holder.commit();
  CHECK(refused.get() == "P0001");
  producer.commit();
  demoted.get();
  CHECK(db.behind_last_tick() == "0");
  db.demote(0);
  CHECK(producer.sqlstate_of("select pgq.insert_event('q', 't', 'x')") == "");
  producer.commit();
}

TEST_CASE("who asked for the table to write to is waited for") {
  Root db;
  Session producer(db.conninfo()), reader(db.conninfo());
  const std::string table = producer.ask("select pgq.current_event_table('q')");
  db.demote(1);
  auto demoted = std::async(std::launch::async, [&] { db.demote(2); });
  REQUIRE(test::eventually(test::kPatience, [&] {
    return db.query("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == "1";
  }));
  producer.run("insert into " + table + " (ev_time, ev_type, ev_data) values (now(), 't', 'x')");
  producer.commit();
  demoted.get();
  CHECK(db.behind_last_tick() == "0");
  CHECK(db.query("select count(*) from pgq.event_1") == "1");
  CHECK(producer.sqlstate_of("select pgq.current_event_table('q')") == "P0001");
  // A name is all that others get.
  db.demote(0);
  db.query("create role only_sends login in role pgq_writer");
  reader.run("set role only_sends");
  CHECK(reader.ask("select pgq.current_event_table('q')") == table);
  db.demote(1);
  db.demote(2);
}
