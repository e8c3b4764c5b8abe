// `skytools consumer run --exec`: the line protocol, retry and dead letters, a command that fails, signals.
#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/pg/connection.h"
#include "tests/support/consumer.h"

using namespace skytools;
using namespace std::chrono_literals;
using nlohmann::json;
using test::eventually;
using test::QueueWorld;

namespace {

constexpr milliseconds kPatience = 30s;
constexpr const char* kOpenBatch = "select sub_batch is not null from pgq.subscription";

/// Keeps the event lines in the file and acknowledges.
std::string keeping(const QueueWorld& w) {
  return w.script("  printf '%s\\n' \"$line\" >> " + w.path("seen") + "; echo ack $id");
}

std::vector<json> seen(const QueueWorld& w) {
  std::vector<json> events;
  std::istringstream in(w.read("seen"));
  for (std::string line; std::getline(in, line);) events.push_back(json::parse(line));
  return events;
}

}  // namespace

TEST_CASE("a command gets each event as one JSON line") {
  QueueWorld w;
  w.query("select pgq.insert_event('q', 'kind', E'tab\\tnl\\nquote\"back\\\\ żółć', 'one', null, '', 'four')");
  w.query("select pgq.insert_event('q', null, null)");
  w.tick();
  test::Output o = w.drain("run", {"--exec", keeping(w)});
  auto events = seen(w);
  REQUIRE(events.size() == 2);
  auto& e = events[0];
  CHECK(e["id"] == 1);
  CHECK(e["type"] == "kind");
  CHECK(e["data"] == "tab\tnl\nquote\"back\\ żółć");
  CHECK(e["extra1"] == "one");
  CHECK(e["extra2"].is_null());
  CHECK(e["extra3"] == "");
  CHECK(e["extra4"] == "four");
  CHECK(e["retry"].is_null());
  CHECK(e["queue"] == "q");
  CHECK(e["consumer"] == "c");
  CHECK(e["batch"] == 1);
  CHECK(std::to_string(e["tick"].get<int>()) == w.query("select max(tick_id) from pgq.tick"));
  CHECK(std::to_string(e["txid"].get<int>()) == w.query("select ev_txid from pgq.event_template where ev_id = 1"));
  CHECK(w.query("select ev_time = '" + e["time"].get<std::string>() + "' from pgq.event_template where ev_id = 1") ==
        "t");
  CHECK(e["time"].get<std::string>()[10] == 'T');
  CHECK(events[1]["data"].is_null());
  CHECK(o.out.empty());
  CHECK(w.query(kOpenBatch) == "f");
}

TEST_CASE("answers come in any order; retry comes again, dead goes to the store") {
  QueueWorld w;
  w.batch(5);
  std::string answers = w.path("answers");
  w.drain("run", {"--exec",
                  w.script("  all=\"$id $all\"\n"
                           "  [ $data = 5 ] && for i in $all; do case $i in\n"
                           "    2) echo retry 2 3600;; 4) echo dead 4 not wanted here;; *) echo ack $i;; esac; done")});
  CHECK(w.query("select ev_id, ev_retry, ev_retry_after > now() + interval '59 minutes' from pgq.retry_queue") ==
        "2|1|t");
  CHECK(w.query("select ev_id, reason from skytools.dead_list('q', 'c')") == "4|not wanted here");
  w.retries_come_back();
  w.drain("run", {"--exec", keeping(w)});
  auto events = seen(w);
  REQUIRE(events.size() == 1);
  CHECK(events[0]["id"] == 2);
  CHECK(events[0]["retry"] == 1);
  CHECK(w.query("select skytools.dead_replay('q', 'c')") == "1");
  w.retries_come_back();
  w.drain("run", {"--exec", keeping(w)});
  CHECK(seen(w).back()["id"] == 4);
}

TEST_CASE("an answer nobody can understand ends the batch with a clear word, and it comes again") {
  QueueWorld w;
  w.batch(2);
  struct Case {
    const char* says;
    const char* message;
  };
  for (auto& c :
       {Case{"echo what", "expected 'ack ID', 'retry ID SECONDS' or 'dead ID REASON'"},
        Case{"echo ack 77", "it was given no such event in this batch"}, Case{"echo ack x", "'x' is no event id"},
        Case{"echo retry $id soon", "bad number of seconds"}, Case{"echo retry $id -5", "bad number of seconds"},
        Case{"echo ack $id; echo ack $id", "the event is answered already"}}) {
    CAPTURE(c.says);
    test::Output o = w.run("run", {"--once", "--exec", w.script(std::string("  ") + c.says)});
    CHECK(o.exit == 1);
    CHECK(o.err.find(c.message) != std::string::npos);
    CHECK(w.query("select sub_batch from pgq.subscription") == "1");
  }
  w.drain("run", {"--exec", keeping(w)});
  CHECK(seen(w).size() == 2);
}

TEST_CASE("a command that ends too early gets the whole batch again") {
  QueueWorld w;
  w.batch(3);
  std::string dies = w.script("  echo ack $id; [ $data = 2 ] && [ ! -e " + w.path("died") + " ] && touch " +
                                  w.path("died") + " && exit 4; printf '%s\\n' \"$line\" >> " + w.path("seen"),
                              "echo started >&2");
  test::Output once = w.run("run", {"--once", "--exec", dies});
  CHECK(once.exit == 1);
  CHECK(once.err.find("the command ended with exit code 4 before batch 1 was answered") != std::string::npos);
  CHECK(w.query(kOpenBatch) == "t");
  w.drain("run", {"--exec", dies});
  auto events = seen(w);
  REQUIRE(events.size() == 4);
  CHECK(events[1]["id"] == 1);
  CHECK(events[1]["batch"] == events[0]["batch"]);

  // A running consumer starts it again by itself.
  std::filesystem::remove(w.path("died"));
  w.batch(3);
  test::Background b(w.command("run", {"--exec", dies}));
  CHECK(eventually(kPatience, [&] { return w.query("select sub_last_tick = 3 from pgq.subscription") == "t"; }));
  CHECK(b.logged("failed, starting again"));
  CHECK(b.stop() == 0);
}

TEST_CASE("an event that breaks the command goes to the dead letters in the end, the others pass") {
  QueueWorld w;
  w.query(
      "select skytools.set_queue_policy('q', 'retry_limit', '1'), skytools.set_queue_policy('q', 'retry_delay', '0')");
  w.batch(5);
  test::Background b(
      w.command("run", {"--loop-delay", "100ms", "--exec",
                        w.script("  [ $data = 3 ] && kill -9 $$; echo ack $id; echo $data >> " + w.path("done"))}));
  CHECK(eventually(kPatience, [&] { return w.query("select count(*) from pgq.retry_queue where ev_id = 3") == "1"; }));
  CHECK(b.logged("the command ended with signal 9 at this event"));
  w.retries_come_back();
  CHECK(eventually(kPatience, [&] { return w.query("select ev_id from skytools.dead_list('q', 'c')") == "3"; }));
  CHECK(w.query("select sub_last_tick = (select max(tick_id) from pgq.tick) from pgq.subscription") == "t");
  CHECK(w.read("done").find("5\n") != std::string::npos);
  CHECK(b.stop() == 0);
}

TEST_CASE("a command that cannot run, or fails at every event, stops the queue instead of emptying it") {
  QueueWorld w;
  w.batch(20);
  for (const char* broken : {"no-such-program", "exit 1"}) {
    CAPTURE(broken);
    test::Background b(w.command("run", {"--exec", broken, "--exception-sleep", "300ms"}));
    auto failures = [&] {
      std::string log = b.log();
      int n = 0;
      for (auto at = log.find("starting again"); at != std::string::npos; at = log.find("starting again", at + 1)) ++n;
      return n;
    };
    CHECK(eventually(kPatience, [&] { return failures() >= 6; }));
    CHECK(w.query(kOpenBatch) == "t");
    CHECK(w.query("select count(*) from pgq.retry_queue") == "0");
    CHECK(b.stop() == 0);
  }
}

TEST_CASE("much data both ways at once, and a batch larger than its memory") {
  QueueWorld w;
  w.query("select count(pgq.insert_event('q', 't', repeat('x', 3000) || g)) from generate_series(1, 500) g");
  w.tick();
  // It answers only after it has read all there is, so both pipes are full at times.
  std::string late = w.script(
      "  all=\"$all $id\"; bytes=$((bytes + ${#line})); n=$((n + 1)); [ $n = 500 ] || continue\n"
      "  echo $bytes > " +
      w.path("bytes") + "; for i in $all; do echo ack $i; done");
  test::Output o = w.drain("run", {"--fetch-max-bytes", "100kB", "--exec", late});
  CHECK(std::stol(w.read("bytes")) > 500 * 3000);
  CHECK(w.query(kOpenBatch) == "f");
  CHECK(o.err.find("count=500 batches=1") != std::string::npos);
}

TEST_CASE("the command's stderr goes to the log line by line") {
  QueueWorld w;
  w.batch(1);
  test::Output o = w.drain(
      "run", {"--log-format", "json", "--exec", w.script("  echo \"saw $id\" >&2; printf tail >&2; echo ack $id")});
  CHECK(o.err.find("\"msg\":\"saw 1\"") != std::string::npos);
  CHECK(o.err.find("\"msg\":\"tail\"") != std::string::npos);
}

TEST_CASE("a new tick wakes it at once, however long loop_delay is") {
  QueueWorld w;
  test::Background b(w.command("run", {"--loop-delay", "10m", "--exec", keeping(w)}));
  REQUIRE(eventually(kPatience, [&] {
    return w.query(
               "select count(*) from pg_stat_activity where application_name = 'skytools consumer' and state = 'idle'"
               " and datname = current_database() and query like '%next_batch%'") == "1";
  }));
  for (int i = 1; i <= 20; ++i) {
    w.batch(1);
    REQUIRE(eventually(kPatience, [&] { return seen(w).size() == static_cast<std::size_t>(i); }));
  }
  CHECK(b.stop() == 0);
}

TEST_CASE("SIGTERM finishes the batch, a second one gives it up") {
  QueueWorld w;
  w.batch(4);
  std::string slow = w.script("  touch " + w.path("busy") + "; sleep 0.3; echo ack $id");
  {
    test::Background b(w.command("run", {"--exec", slow}));
    REQUIRE(eventually(kPatience, [&] { return w.read("busy").empty() && std::filesystem::exists(w.path("busy")); }));
    CHECK(b.stop() == 0);
    CHECK(w.query(kOpenBatch) == "f");
  }
  w.batch(1);
  std::filesystem::remove(w.path("busy"));
  test::Background b(w.command("run", {"--exec", w.script("  touch " + w.path("busy") + "; sleep 600")}));
  REQUIRE(eventually(kPatience, [&] { return std::filesystem::exists(w.path("busy")); }));
  b.signal(SIGTERM);
  CHECK_FALSE(eventually(500ms, [&] { return !b.running(); }));
  CHECK(b.stop() == 0);
  CHECK(w.query(kOpenBatch) == "t");
}

TEST_CASE("a reason no database would take is stored as well as can be") {
  QueueWorld w;
  w.batch(1);
  w.drain("run", {"--exec", w.script("  printf 'dead %s caf\\351 \\000.\\n' $id")});
  CHECK(w.query("select reason from skytools.dead_list('q', 'c')") == "caf\xef\xbf\xbd \xef\xbf\xbd.");
}

TEST_CASE("an id that a producer used twice is answered twice") {
  QueueWorld w;
  w.query(
      "select pgq.insert_event_raw('q', 7, now(), null, null, 't', d, null, null, null, null)"
      " from unnest('{a,b}'::text[]) d");
  w.query("select setval('pgq.event_1_id_seq', 7)");
  w.tick();
  w.drain("run", {"--exec", w.script("  echo ack $id")});
  w.batch(2);  // the batch must not be over before the surplus answer
  CHECK(w.run("run", {"--once", "--exec", w.script("  echo ack $id; echo ack $id")}).exit == 1);
}

TEST_CASE("a database without an encoding hands over whatever it has") {
  run::ThrowawayServer& on = test::server();
  std::string ascii = pg::with_keyword(on.conninfo("postgres"), "dbname", "ascii");
  test::query(on.conninfo("postgres"),
              "create database ascii encoding 'SQL_ASCII' template template0 lc_collate 'C' lc_ctype 'C'");
  REQUIRE(test::run_skytools({"install", "--db", ascii}).exit == 0);
  test::query(ascii,
              "set client_encoding = 'SQL_ASCII'; select pgq.create_queue('q'); select pgq.register_consumer('q', 'c');"
              "select pgq.insert_event('q', 't', E'caf\\xe9'); create table got (data text)");
  test::query(ascii, "select pgq.force_tick('q'), pgq.ticker('q')");
  CHECK(test::run_skytools({"queue", "peek", "q", "c", "--db", ascii, "--json"}).out.find("caf\xef\xbf\xbd") !=
        std::string::npos);
  test::Output o = test::run_skytools({"consumer", "run", "-Q", "q", "--consumer", "c", "--db", ascii, "--once",
                                       "--sql", "insert into got values ($1)"});
  CHECK(o.exit == 0);
  CHECK(test::query(ascii, "select encode(data::bytea, 'hex') from got") == "636166e9");
  test::query(on.conninfo("postgres"), "drop database ascii");
}
