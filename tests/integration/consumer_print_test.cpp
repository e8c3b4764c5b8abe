// `skytools consumer print` and `list`, and what all forms share: registration, filter, batch shape, errors, daemon.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/consumer.h"

using namespace skytools;
using namespace std::chrono_literals;
using nlohmann::json;
using test::eventually;
using test::QueueWorld;

namespace {

constexpr milliseconds kPatience = 30s;

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("events go to stdout, one line each, and the batch is finished") {
  QueueWorld w;
  w.batch(3);
  w.batch(2);
  auto o = w.drain("print", {});
  CHECK(lines(o.out) == 5);
  CHECK(json::parse(o.out.substr(0, o.out.find('\n')))["data"] == "1");
  CHECK(w.drain("print", {}).out.empty());
}

TEST_CASE("a reader that goes away loses nothing") {
  QueueWorld w;
  w.query("select count(pgq.insert_event('q', 't', repeat('x', 1000) || g)) from generate_series(1, 2000) g");
  w.tick();
  auto argv = w.command("print", {"--once"});
  std::string command = SKYTOOLS_BINARY;
  for (auto& word : argv) command += " '" + word + "'";
  auto o = test::run_program({"sh", "-c", command + " | head -n 1; test $? = 0"});
  CHECK(lines(o.out) == 1);
  CHECK(o.err.find("skytools:") == std::string::npos);  // no error is told: the reader wanted no more
  CHECK(w.query("select sub_batch is not null from pgq.subscription") == "t");
  CHECK(lines(w.drain("print", {}).out) == 2000);
}

TEST_CASE("who is not registered, and what is not there, is told in one line") {
  QueueWorld w;
  auto said = [&](std::vector<std::string> args, int exit, const std::string& text) {
    auto o = w.run("print", args);
    CHECK(o.exit == exit);
    CHECK(lines(o.err) == 1);
    CHECK(o.err.find(text) != std::string::npos);
  };
  said({"--consumer", "x"}, 1,
       "consumer 'x' is not registered on queue 'q'; --register does it, or: skytools queue register q x");
  said({"-Q", "no"}, 1, "queue 'no' does not exist; create it with: skytools queue create no");
  said({"--db", "host=/no/such/place dbname=x"}, 4, "cannot connect");
  said({"--loop-delay", "0"}, 2, "loop_delay must be positive");
  CHECK(w.run("print", {"-qq"}).exit == 2);
  test::Database empty;
  empty.query("drop schema pgq cascade");
  said({"--db", empty.conninfo()}, 6, "schema pgq is missing; run: skytools install pgq --db \"host=");
  auto o = w.run("print", {"--consumer", "x", "--register", "--once"});
  CHECK(o.exit == 0);
  CHECK(o.err.find("registered queue=q consumer=x") != std::string::npos);
  CHECK(w.run("print", {"--consumer", "x", "--register", "--once"}).err.find("registered") == std::string::npos);
}

TEST_CASE("a table filter is applied by the server, the rest counts as done") {
  QueueWorld w;
  w.query(
      "select pgq.insert_event('q', 't', t, t, null, null, null) from unnest('{public.a,public.b,s.a,s.o''x}'::text[]) "
      "t");
  w.query("select pgq.insert_event('q', 't', 'no table')");
  w.tick();
  auto o = w.drain("print", {"--table-filter", "a, nix", "--table-filter", "s.o'x"});
  CHECK(lines(o.out) == 2);
  CHECK(o.out.find("\"public.a\"") != std::string::npos);
  CHECK(o.out.find("\"s.o'x\"") != std::string::npos);
  CHECK(w.drain("print", {}).out.empty());
}

TEST_CASE("batches are as large, as long and as old as asked for") {
  QueueWorld w;
  for (int i = 0; i < 6; ++i) w.batch(10);
  CHECK(w.drain("print", {"--min-count", "100"}).out.empty());
  CHECK(w.drain("print", {"--keep-lag", "1h"}).out.empty());
  CHECK(w.drain("print", {"--min-interval", "1h"}).out.empty());
  auto o = w.drain("print", {"--min-count", "25"});
  CHECK(lines(o.out) == 60);
  CHECK(w.query("select max(sub_last_tick) from pgq.subscription") == "7");
  std::set<int> batches;
  for (std::size_t at = 0, end; (end = o.out.find('\n', at)) != std::string::npos; at = end + 1)
    batches.insert(json::parse(o.out.substr(at, end - at))["batch"].get<int>());
  CHECK(batches.size() == 2);
  CHECK(w.drain("print", {"--min-count", "1", "--keep-lag", "1s"}).err.find("keep_lag together with") !=
        std::string::npos);
}

TEST_CASE("list shows where consumers stand") {
  QueueWorld w;
  w.batch(5);
  auto list = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"consumer", "list", "--db", w.conninfo()});
    return test::run_skytools(args);
  };
  auto rows = json::parse(list({"q", "--json"}).out);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["queue"] == "q");
  CHECK(rows[0]["consumer"] == "c");
  CHECK(rows[0]["pending"] == 5);
  CHECK(rows[0]["last_tick"] == 1);
  CHECK(rows[0]["batch"].is_null());
  CHECK(rows[0]["lag"].is_number());
  CHECK(rows[0]["state"] == "idle");
  CHECK(list({}).out.find("Queue  Consumer") == 0);
  CHECK(list({"-Q", "none"}).exit == 1);
  w.query("select skytools.pause_consumer('q', 'c')");
  CHECK(json::parse(list({"--json"}).out)[0]["state"] == "paused");
  auto unknown = list({"none"});
  CHECK(unknown.exit == 1);
  CHECK(unknown.err.find("there is no queue 'none'") != std::string::npos);
  w.query("select pgq.unregister_consumer('q', 'c')");
  CHECK(list({}).out == "");
  CHECK(list({}).err.find("no consumers") != std::string::npos);
  CHECK(list({"--json"}).out == "[]\n");
  test::Database empty;
  empty.query("drop schema pgq cascade");
  CHECK(test::run_skytools({"consumer", "list", "--db", empty.conninfo()})
            .err.find("schema pgq is missing; run: skytools install --db") != std::string::npos);
}

TEST_CASE("in the background under a pid file, reloaded and stopped; a lost connection heals") {
  QueueWorld w;
  std::string pid = w.path("pid"), log = w.path("log");
  auto daemon = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--pid-file", pid, "--log-file", log, "--exec",
                             w.script("  echo $id >> " + w.path("ids") + "; echo ack $id")});
    return w.run("run", more);
  };
  CHECK(w.run("print", {"-d", "--pid-file", pid}).exit == 2);
  REQUIRE(daemon({"-d"}).exit == 0);
  CHECK(daemon({"-d"}).exit == 5);
  w.batch(2);
  CHECK(eventually(kPatience, [&] { return w.read("ids") == "1\n2\n"; }));
  w.query(
      "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'skytools consumer' and "
      "datname = current_database()");
  w.batch(1);
  CHECK(eventually(kPatience, [&] { return w.read("ids") == "1\n2\n3\n"; }));
  CHECK(daemon({"--reload"}).exit == 0);
  CHECK(eventually(kPatience, [&] { return w.read("log").find("settings read again") != std::string::npos; }));
  CHECK(daemon({"--stop"}).exit == 0);
  CHECK(daemon({"--stop"}).exit == 1);
  CHECK(w.read("log").find("consumer queue=q consumer=c count=3") != std::string::npos);
}

TEST_CASE("a job file, and what SIGHUP changes while it runs") {
  QueueWorld w;
  std::string file = w.path("job.yaml");
  auto write = [&](const std::string& more) {
    std::ofstream(file) << "type: consumer\ndb: \"" << w.conninfo() << "\"\nqueue: q\nconsumer: c\nexec: '"
                        << w.script("  echo $id >> " + w.path("ids") + "; echo ack $id") << "'\n"
                        << more;
  };
  write("table_filter: [a]\n");
  auto send = [&](const std::string& table) {
    w.query("select pgq.insert_event('q', 't', 'd', 'public." + table + "', null, null, null)");
    w.tick();
  };
  test::Background b({"consumer", "run", "-c", file});
  send("b"), send("a");
  CHECK(eventually(kPatience, [&] { return w.read("ids") == "2\n"; }));
  write("no_such_key: 1\n");
  b.signal(SIGHUP);
  CHECK(eventually(kPatience, [&] { return b.logged("the old settings stay"); }));
  write("table_filter: [b]\n");
  b.signal(SIGHUP);
  CHECK(eventually(kPatience, [&] { return b.logged("settings read again"); }));
  send("a"), send("b");
  CHECK(eventually(kPatience, [&] { return w.read("ids") == "2\n4\n"; }));
  CHECK(b.stop() == 0);
}
