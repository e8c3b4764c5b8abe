// skytools queue: events in and out, positions, dead letters, through the real binary.
#include <doctest/doctest.h>

#include "core/pg/transaction.h"
#include "tests/support/queue_program.h"

using namespace skytools;
using nlohmann::json;
using test::contains;
using test::Output;
using test::QueueDatabase;

namespace {

/// A queue "q" with the consumer "c".
struct Queue : QueueDatabase {
  Queue() {
    run({"create", "q"});
    run({"register", "q", "c"});
  }
  /// The stored events "type|data|extra1" in order.
  std::string stored() const {
    return query(
        "select coalesce(string_agg(concat_ws('|', coalesce(ev_type, '-'), coalesce(ev_data, '-'),"
        " coalesce(ev_extra1, '-')), ';' order by ev_id), '') from pgq.event_template");
  }
  std::string ids(const json& events) const {
    std::string out;
    for (auto& e : events) out += e["data"].get<std::string>() + " ";
    return out;
  }
  void send(const std::string& data) const { run({"send", "q", "--data", data}); }
  /// All events of the consumer's next batch become dead letters.
  void kill_batch() const {
    query(
        "do $$ declare b bigint := pgq.next_batch('q', 'c'); begin perform skytools.answer_batch(b, null, null,"
        " (select array_agg(ev_id) from pgq.get_batch_events(b)),"
        " (select array_agg('because ' || ev_data) from pgq.get_batch_events(b))); end $$");
  }
};

const std::string kHardText = "tab\tline\nback\\slash \"quoted\" {a,b} NULL ü \\N";

}  // namespace

TEST_CASE("one event with all its fields") {
  Queue q;
  json sent = q.ask({"send", "q", "--type", "t", "--data", kHardText, "--extra1", "a", "--extra2", "b", "--extra3", "c",
                     "--extra4", ""});
  CHECK(sent == json::parse(R"({"queue": "q", "events": 1, "event_id": 1})"));
  CHECK(q.query("select ev_type, ev_extra1, ev_extra2, ev_extra3, ev_extra4 = '' from"
                " pgq.event_template") == "t|a|b|c|t");
  CHECK(q.query("select ev_data from pgq.event_template") == kHardText);
  q.check_failure({"send", "q"}, 2, "--stdin");
  q.check_failure({"send", "q", "--stdin", "--type", "t"}, 2, "--stdin");
  q.check_failure({"send", "q", "--type", "t", "--format", "csv"}, 2, "--format");
  q.check_failure({"send", "q", "--stdin", "--format", "xml"}, 2, "xml");
  q.check_failure({"send", "q", "--stdin", "--commit-every", "-1"}, 2, "--commit-every");
  q.check_failure({"send", "p", "--type", "t"}, 1, "there is no queue 'p'");
  q.check_failure({"send", "p", "--stdin"}, 1, "there is no queue 'p'", "{}\n");
}

TEST_CASE("streams, by who may write the tables and by who may not") {
  Queue q;
  q.query("drop role if exists queue_writer; create role queue_writer login; grant pgq_writer to queue_writer");
  std::string jsonl = json{{"type", "j"}, {"data", kHardText}}.dump() + "\n{}\n{\"data\": {\"a\": [1.0]}}\n";
  std::string csv = "data,type,extra1\n\"x\ny\",c,\n,\"\",e\n";
  std::string wanted = "j|" + kHardText + "|-;-|-|-;-|{\"a\":[1.0]}|-;c|x\ny|-;|-|e";
  for (std::string role : {"", "queue_writer"}) {
    CHECK(q.try_run({"send", "q", "--stdin"}, jsonl, role).exit == 0);
    Output o = q.try_run({"send", "q", "--stdin", "--format", "csv", "--json"}, csv, role);
    CHECK(json::parse(o.out) == json::parse(R"({"queue": "q", "events": 2})"));
    CHECK(q.stored() == wanted);
    CHECK(q.query("select count(*) from pgq.event_template where ev_time is null or ev_owner is not null") == "0");
    q.query("delete from pgq.event_1_0");
  }
  CHECK(q.ask({"send", "q", "--stdin"}) == json::parse(R"({"queue": "q", "events": 0})"));
}

TEST_CASE("many events arrive once, in order, in one transaction, in bounded pieces") {
  Queue q;
  q.query("drop role if exists queue_writer; create role queue_writer login; grant pgq_writer to queue_writer");
  std::string lines;
  for (int i = 1; i <= 50'000; ++i) lines += "{\"data\":" + std::to_string(i) + "}\n";
  for (std::string role : {"", "queue_writer"}) {
    Output o = q.try_run({"send", "q", "--stdin"}, lines, role);
    INFO(o.err);
    CHECK(o.exit == 0);
    CHECK(q.query("select count(*), count(distinct ev_txid), min(ev_data::int), max(ev_data::int),"
                  " bool_and(in_order) from (select *, ev_data::int = row_number() over (order by ev_id) as in_order"
                  " from pgq.event_template) e") == "50000|1|1|50000|t");
    q.query("truncate pgq.event_1_0");
  }
  CHECK(q.try_run({"send", "q", "--stdin", "--commit-every", "20000"}, lines).exit == 0);
  CHECK(q.query("select string_agg(n::text, ',' order by txid) from (select ev_txid as txid, count(*) as n from"
                " pgq.event_template group by 1) t") == "20000,20000,10000");
}

TEST_CASE("a bad line is named, and nothing of its transaction is sent") {
  Queue q;
  q.check_failure({"send", "q", "--stdin"}, 1, "nothing was sent: line 3: not JSON", "{}\n\n{\n");
  q.check_failure({"send", "q", "--stdin", "--format", "csv"}, 1, "nothing was sent: line 3: 1 fields",
                  "type,data\na,b\nc\n");
  CHECK(q.stored() == "");
  q.check_failure({"send", "q", "--stdin", "--commit-every", "2"}, 1,
                  "stopped after 2 events: line 4: ", "{\"data\":\"1\"}\n{\"data\":\"2\"}\n{\"data\":\"3\"}\n[]\n");
  CHECK(q.stored() == "-|1|-;-|2|-");
  // What only the server finds out: the queue takes no events.
  q.query("update pgq.queue set queue_disable_insert = true");
  q.check_failure({"send", "q", "--stdin"}, 1, "nothing was sent: events 1 to 1 were not taken: ", "{}\n");
}

TEST_CASE("peek shows what comes next, in order of the batches, and opens none") {
  Queue q;
  CHECK(q.ask({"peek", "q", "c"}) == json::array());
  q.send("1");
  q.send("2");
  CHECK(q.ask({"peek", "q", "c"}) == json::array());  // no tick yet
  CHECK(contains(q.try_run({"peek", "q", "c"}).err, "2 events came after the newest tick"));
  // An event with a low id whose transaction ends late comes after those with higher ids.
  pg::Connection late("late", q.conninfo());
  pg::Transaction tx(late);
  tx.exec("select pgq.insert_event('q', null, 'late')");
  q.send("3");
  q.run({"tick", "q"});
  tx.commit();
  q.run({"tick", "q"});
  std::string before = test::everything(q);
  json events = q.ask({"peek", "q", "c"});
  CHECK(q.ids(events) == "1 2 3 late ");
  CHECK(events[0]["tick"] == 2);
  CHECK(events[3]["tick"] == 3);
  CHECK(events[0]["type"].is_null());
  CHECK(events[0]["queue"] == "q");
  CHECK(q.ids(q.ask({"peek", "q", "c", "--limit", "2"})) == "1 2 ");
  CHECK(test::everything(q) == before);

  q.query("select pgq.next_batch_custom('q', 'c', null, 4, null)");  // spans both ticks
  CHECK(q.ids(q.ask({"peek", "q", "c"})) == "1 2 late 3 ");
  CHECK(contains(q.try_run({"peek", "q", "c"}).err, "works on batch 1"));
  q.query("select pgq.finish_batch(1)");
  CHECK(q.ask({"peek", "q", "c"}) == json::array());
  q.check_failure({"peek", "q", "d"}, 1, "queue q has no consumer 'd'");
  q.check_failure({"peek", "q", "c", "--limit", "0"}, 2, "--limit");
}

TEST_CASE("peek gives a retried event to its owner alone") {
  Queue q;
  q.run({"register", "q", "other"});
  q.query(
      "select pgq.event_retry_raw('q', 'c', now(), null, now(), 1, 't', 'again', null, null, null, null);"
      "select pgq.maint_retry_events()");
  q.run({"tick", "q"});
  CHECK(q.ids(q.ask({"peek", "q", "c"})) == "again ");
  CHECK(q.ask({"peek", "q", "c"})[0]["retry"] == 1);
  CHECK(q.ask({"peek", "q", "other"}) == json::array());
}

TEST_CASE("register: where to begin, and what is there already") {
  Queue q;
  for (int i = 0; i < 3; ++i) q.run({"tick", "q"});
  q.query("update pgq.tick set tick_time = now() - (4 - tick_id) * interval '1 hour'");
  auto at = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"register", "q"});
    json o = q.ask(args);
    return o["result"].get<std::string>() + " " + o["tick"].dump();
  };
  CHECK(at({"newest"}) == "registered 4");
  CHECK(at({"newest"}) == "already registered 4");
  CHECK(at({"old", "--at", "2"}) == "registered 2");
  CHECK(at({"old", "--at", "2"}) == "already registered 2");
  CHECK(at({"old"}) == "already registered 2");
  q.check_failure({"register", "q", ".old"}, 2, "names that begin with a dot");
  CHECK(at({"copy", "--like", "old"}) == "registered 2");
  CHECK(at({"timed", "--at-time", "90m"}) == "registered 2");
  CHECK(at({"stamped", "--at-time", "now"}) == "registered 4");
  q.check_failure({"register", "q", "old", "--at", "3"}, 5, "skytools queue seek q old 3");
  q.check_failure({"register", "q", "x", "--at", "9"}, 1, "no tick 9; its ticks reach from 1 (");
  q.check_failure({"register", "q", "x", "--at-time", "4h"}, 1, "no tick at or before");
  q.check_failure({"register", "q", "x", "--at-time", "soonish"}, 2, "soonish");
  q.check_failure({"register", "q", "x", "--like", "nobody"}, 1, "no consumer 'nobody'");
  q.check_failure({"register", "q", "x", "--at", "1", "--like", "c"}, 2, "exclude each other");
  q.check_failure({"register", "q", ""}, 2, "needs a name");
  q.check_failure({"register", "p", "x"}, 1, "there is no queue 'p'");
  CHECK(q.query("select count(*) from pgq.consumer where co_name = 'x'") == "0");

  CHECK(q.ask({"unregister", "q", "old"})["result"] == "unregistered");
  CHECK(q.ask({"unregister", "q", "old"})["result"] == "not registered");
  q.check_failure({"unregister", "p", "old"}, 1, "there is no queue 'p'");
}

TEST_CASE("seek says what it repeats or skips, asks, and refuses an open batch") {
  Queue q;
  q.send("1");
  q.send("2");
  q.run({"tick", "q"});
  q.send("3");
  q.run({"tick", "q"});
  q.check_failure({"seek", "q", "c", "3"}, 5, "about 3 events are skipped: not confirmed");
  json moved = q.ask({"seek", "q", "c", "3", "--yes"});
  CHECK(moved["result"] == "moved");
  CHECK(moved["from_tick"] == 1);
  CHECK(moved["tick"] == 3);
  CHECK(moved["events_skipped"] == 3);
  CHECK(moved["events_repeated"] == 0);
  CHECK(q.ask({"seek", "q", "c", "3"})["result"] == "already there");
  CHECK(q.ask({"seek", "q", "c", "2", "-y"})["events_repeated"] == 1);
  CHECK(q.ids(q.ask({"peek", "q", "c"})) == "3 ");
  CHECK(q.ask({"seek", "q", "c", "now", "-y"})["tick"] == 3);
  q.check_failure({"seek", "q", "c", "99", "-y"}, 1, "no tick 99");
  q.check_failure({"seek", "q", "c", "99999999999999999999", "-y"}, 1, "no tick 99999999999999999999");
  q.check_failure({"seek", "q", "c", "nowish", "-y"}, 2, "nowish");
  q.check_failure({"seek", "q", "d", "1", "-y"}, 1, "no consumer 'd'");
  q.check_failure({"seek", "q", "c"}, 2, "TICK|TIME");
  q.ask({"seek", "q", "c", "1", "-y"});
  q.query("select pgq.next_batch('q', 'c')");
  std::string before = test::everything(q);
  q.check_failure({"seek", "q", "c", "3", "-y"}, 5, "works on batch 1");
  CHECK(test::everything(q) == before);
}

TEST_CASE("dead letters are listed, shown, replayed and purged") {
  Queue q;
  CHECK(q.ask({"dead", "list", "q"}) == json::array());
  for (auto* data : {"1", "2", "3"}) q.send(data);
  q.run({"tick", "q"});
  q.kill_batch();
  json list = q.ask({"dead", "list", "q"});
  REQUIRE(list.size() == 3);
  CHECK(list[0]["consumer"] == "c");
  CHECK(list[0]["reason"] == "because 1");
  CHECK(list[0]["data"] == "1");
  CHECK(list[0]["type"].is_null());
  CHECK(q.ask({"dead", "list", "q", "c", "--limit", "2"}).size() == 2);
  CHECK(contains(q.try_run({"dead", "list", "q", "--limit", "2"}).err, "there are more"));
  std::string second = list[1]["id"].dump();
  CHECK(q.ask({"dead", "show", "q", "c", second})[0]["data"] == "2");
  CHECK(contains(q.run({"dead", "show", "q", "c"}), "reason      because 3\n"));

  std::string before = test::everything(q);
  q.check_failure({"dead", "purge", "q", "c"}, 5, "delete 3 dead letters");
  q.check_failure({"dead", "show", "q", "c", "999"}, 1, "none of the 1 dead letter named");
  q.check_failure({"dead", "replay", "q", "c", second, "999"}, 1, "only 1 of the 2 dead letters named");
  q.check_failure({"dead", "replay", "q", "c", "x"}, 2, "not an event id: 'x'");
  q.check_failure({"dead", "list", "q", "d"}, 1, "no consumer 'd'");
  q.check_failure({"dead", "list", "p"}, 1, "there is no queue 'p'");
  CHECK(contains(q.run({"dead", "replay", "q", "c", second, "--dry-run"}),
                 "select skytools.dead_replay('q', 'c', '{" + second + "}')"));
  CHECK(contains(q.run({"dead", "purge", "q", "c", "--dry-run"}), "select skytools.dead_purge('q', 'c', null)"));
  CHECK(test::everything(q) == before);

  CHECK(q.ask({"dead", "replay", "q", "c", second, second})["events"] == 1);
  q.query("select pgq.maint_retry_events()");
  q.run({"tick", "q"});
  CHECK(q.ids(q.ask({"peek", "q", "c"})) == "2 ");
  CHECK(q.ask({"dead", "purge", "q", "c", list[0]["id"].dump(), "--yes"})["events"] == 1);
  CHECK(q.ask({"dead", "replay", "q", "c"})["events"] == 1);
  CHECK(q.ask({"dead", "purge", "q", "c", "--yes"})["events"] == 0);
}
