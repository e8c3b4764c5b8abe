// skytools queue: queues, their settings and what may be done with them, through the real binary.
#include <doctest/doctest.h>

#include "core/pgq/parameters.h"
#include "tests/support/queue_program.h"

using namespace skytools;
using nlohmann::json;
using test::contains;
using test::Output;
using test::QueueDatabase;

namespace {

/// The database without schema skytools, and pgq from the original's extension. Empty where that isn't installed.
std::string extension_database(const test::Database& db) {
  bool there = db.query("select count(*) from pg_available_extensions where name = 'pgq'") == "1";
  if (there) db.query("create extension pgq");
  return there ? db.conninfo() : "";
}

}  // namespace

TEST_CASE("create is idempotent, sets what it is told, and limits retries") {
  QueueDatabase db;
  json first = db.ask({"create", "q", "--set", "ticker_max_lag=500ms", "--set", "queue_ticker_max_count=7"});
  CHECK(first == json::parse(R"({"queue": "q", "result": "created",
                                 "set": {"ticker_max_lag": 0.5, "ticker_max_count": 7, "retry_limit": 5}})"));
  CHECK(db.query("select queue_ticker_max_lag, queue_ticker_max_count from pgq.queue") == "00:00:00.5|7");
  CHECK(db.query("select retry_limit from skytools.queue_policy") == "5");

  db.run({"set", "q", "retry_limit=none"});
  CHECK(db.ask({"create", "q"})["result"] == "already there");
  CHECK(db.query("select retry_limit from skytools.queue_policy") == "NULL");
  CHECK(db.ask({"create", "q", "--set", "ticker_max_count=8"})["result"] == "already there");
  CHECK(db.query("select queue_ticker_max_count from pgq.queue") == "8");

  db.run({"create", "no limit", "--set", "retry_limit=none"});
  CHECK(db.query("select retry_limit from skytools.queue_policy p join pgq.queue using (queue_id)"
                 " where queue_name = 'no limit'") == "NULL");
}

TEST_CASE("wrong parameters are told before anything happens") {
  QueueDatabase db;
  db.run({"create", "q"});
  std::string before = test::everything(db);
  db.check_failure({"create", "r", "--set", "ticker_mxa_lag=1s"}, 2, "did you mean 'ticker_max_lag'?");
  db.check_failure({"create", "r", "--set", "ticker_max_lag=1s", "--set", "retry_limit=x"}, 2, "retry_limit");
  db.check_failure({"create", ""}, 2, "needs a name");
  db.check_failure({"create"}, 2, "QUEUE");
  db.check_failure({"set", "q", "ticker_max_count=9", "rotation_period=soon"}, 2, "rotation_period");
  db.check_failure({"set", "q"}, 2, "PARAM=VALUE");
  db.check_failure({"set", "p", "ticker_max_count=9"}, 1, "there is no queue 'p'; did you mean 'q'?");
  CHECK(test::everything(db) == before);
}

TEST_CASE("set changes all or nothing") {
  QueueDatabase db;
  db.run({"create", "q"});
  CHECK(db.ask({"set", "q", "rotation_period=1h30m", "ticker_paused=no", "retry_delay=5s", "retry_backoff=3"}) ==
        json::parse(R"({"queue": "q", "set": {"rotation_period": 5400, "ticker_paused": false, "retry_delay": 5,
                                              "retry_backoff": 3.0}})"));
  CHECK(db.query("select queue_rotation_period from pgq.queue") == "01:30:00");
  CHECK(db.query("select retry_limit, retry_delay, retry_backoff from skytools.queue_policy") == "5|00:00:05|3");
}

TEST_CASE("the help of set names every parameter") {
  std::string help = test::run_skytools({"help", "queue", "set"}).out;
  for (auto& p : pgq::parameters()) CHECK(contains(help, "\n  " + std::string(p.name) + "  "));
}

TEST_CASE("drop names the consumers, and needs --force and --yes") {
  QueueDatabase db;
  db.run({"create", "q"});
  db.check_failure({"drop", "q"}, 5, "--yes");
  db.run({"register", "q", "one"});
  db.run({"register", "q", "two"});
  db.check_failure({"drop", "q", "--yes"}, 5, "2 consumers: one (0 events pending), two (0 events pending); --force");
  db.check_failure({"drop", "q", "--force"}, 5, "--yes");
  db.check_failure({"drop", "p", "--yes"}, 1, "there is no queue 'p'");
  CHECK(db.ask({"drop", "q", "--force", "-y"}) ==
        json::parse(R"({"queue": "q", "result": "dropped", "consumers": ["one", "two"]})"));
  CHECK(db.query("select (select count(*) from pgq.queue) + (select count(*) from pgq.subscription)") == "0");
}

TEST_CASE("list and show tell rates, lags and settings") {
  QueueDatabase db;
  CHECK(db.ask({"list"}) == json::array());
  CHECK(db.ask({"show"}) == json::array());
  db.run({"create", "a"});
  db.run({"create", "b"});
  db.run({"register", "a", "slow"});
  db.run({"send", "a", "--type", "t"});
  db.run({"tick", "a"});
  db.run({"register", "a", "fast"});
  db.query("update pgq.tick set tick_time = tick_time - interval '10 minutes' where tick_id = 1");
  json list = db.ask({"list"});
  REQUIRE(list.size() == 2);
  CHECK(list[0]["queue"] == "a");
  CHECK(list[0]["state"] == "active");
  CHECK(list[0]["consumers"] == 2);
  CHECK(list[0]["slowest_consumer"] == "slow");
  CHECK(list[0]["pending_events"] == 1);
  CHECK(list[0]["lag"] > 599);
  CHECK(list[1]["slowest_consumer"].is_null());

  json show = db.ask({"show", "a"});
  REQUIRE(show.size() == 1);
  CHECK(show[0]["queue"] == "a");
  CHECK(show[0]["ticker_max_lag"] == 3);
  CHECK(show[0]["retry_limit"] == 5);
  CHECK(show[0]["current_table"] == "pgq.event_1_0");
  CHECK(show[0]["table_sizes"].size() == 3);
  CHECK(show[0]["bytes"] > 0);
  REQUIRE(show[0]["consumers"].size() == 2);
  CHECK(show[0]["consumers"][0]["consumer"] == "fast");
  CHECK(show[0]["consumers"][0]["pending_events"] == 0);
  CHECK(show[0]["consumers"][0]["batch"].is_null());
  CHECK(db.ask({"show"}).size() == 2);
  CHECK(db.ask({"show", "-Q", "b"})[0]["queue"] == "b");
  db.query("select pgq.next_batch('a', 'slow')");
  CHECK(db.ask({"show", "a"})[0]["consumers"][1]["batch"] == 1);

  std::string page = db.run({"show"});
  CHECK(contains(page, "PgQ 3.5"));
  CHECK(contains(page, "3/2h0m"));
  CHECK(contains(page, "500/3s/1m0s"));
  CHECK(contains(page, "\na:\n"));
  CHECK(contains(page, "1 (to tick 2)"));
  CHECK(contains(db.run({"show", "a"}), "retry_limit         5\n"));
  db.check_failure({"show", "c"}, 1, "there is no queue 'c'");
  db.check_failure({"stats", "c"}, 1, "there is no queue 'c'");
}

TEST_CASE("a paused consumer gets no batches") {
  QueueDatabase db;
  db.run({"create", "q"});
  db.run({"register", "q", "c"});
  db.run({"tick", "q"});
  CHECK(db.ask({"pause", "q", "--consumer", "c"})["result"] == "paused");
  CHECK(db.ask({"pause", "q", "--consumer", "c"})["result"] == "already paused");
  CHECK(db.ask({"show", "q"})[0]["consumers"][0]["paused"] == true);
  CHECK(db.query("select pgq.next_batch('q', 'c')") == "NULL");
  CHECK(db.ask({"resume", "q", "--consumer", "c"})["result"] == "resumed");
  CHECK(db.query("select pgq.next_batch('q', 'c')") == "1");
  db.check_failure({"pause", "q", "--consumer", "d"}, 1, "queue q has no consumer 'd'; did you mean 'c'?");
}

TEST_CASE("--dry-run prints steps and SQL and changes nothing") {
  QueueDatabase db;
  db.run({"create", "q"});
  db.run({"register", "q", "c"});
  db.run({"send", "q", "--data", "x"});
  db.run({"tick", "q"});
  db.run({"tick", "q"});
  std::string before = test::everything(db);
  struct {
    std::vector<std::string> args;
    std::string sql;
  } const kCases[] = {
      {{"create", "r", "--set", "ticker_max_lag=1s"}, "select pgq.create_queue('r')"},
      {{"set", "q", "retry_limit=none"}, "select skytools.set_queue_policy('q', 'retry_limit', null)"},
      {{"drop", "q", "--force"}, "select pgq.drop_queue('q', true)"},
      {{"pause", "q"}, "select pgq.set_queue_config('q', 'ticker_paused', 'true')"},
      {{"pause", "q", "--consumer", "c"}, "select skytools.pause_consumer('q', 'c')"},
      {{"tick", "q"}, "select skytools.tick('q', interval '0')"},
      {{"send", "q", "--type", "t"}, "select pgq.insert_event('q', 't', null, null, null, null, null)"},
      {{"register", "q", "d", "--at", "1"}, "select pgq.register_consumer_at('q', 'd', 1)"},
      {{"unregister", "q", "c"}, "select pgq.unregister_consumer('q', 'c')"},
      {{"seek", "q", "c", "2"}, "select skytools.seek('q', 'c', 2::bigint)"},
  };
  for (auto [args, sql] : kCases) {
    args.push_back("--dry-run");
    INFO(sql);
    CHECK(contains(db.run(args), sql));
    args.push_back("--json");
    json steps = json::parse(db.run(args));
    CHECK(std::any_of(steps.begin(), steps.end(), [&, text = sql](auto& s) { return s["sql"] == text; }));
  }
  CHECK(contains(db.run({"send", "q", "--stdin", "--dry-run"}, "{}\n"), "copy \"pgq\".\"event_1_0\""));
  CHECK(db.ask({"resume", "q", "--dry-run"}) == json::array());
  CHECK(test::everything(db) == before);
}

TEST_CASE("who lacks a right is told which role has it") {
  QueueDatabase db;
  db.run({"create", "q"});
  db.run({"register", "q", "c"});
  db.run({"tick", "q"});
  db.query("drop role if exists queue_nobody; create role queue_nobody login");
  const std::pair<std::vector<std::string>, std::string> kCases[] = {
      {{"create", "r"}, "pgq_admin"},
      {{"set", "q", "retry_limit=1"}, "pgq_admin"},
      {{"drop", "q", "--force", "--yes"}, "pgq_admin"},
      {{"pause", "q"}, "pgq_admin"},
      {{"tick", "q"}, "pgq_reader"},
      {{"send", "q", "--data", "x"}, "pgq_writer"},
      {{"send", "q", "--stdin"}, "pgq_writer"},
      {{"peek", "q", "c"}, "pgq_reader"},
      {{"register", "q", "d"}, "pgq_reader"},
      {{"unregister", "q", "c"}, "pgq_reader"},
      {{"dead", "list", "q"}, "pgq_reader"},
  };
  std::string before = test::everything(db);
  for (auto& [args, role] : kCases) {
    Output o = db.try_run(args, "{}\n", "queue_nobody");
    INFO(args[0] << ": " << o.err);
    CHECK(o.exit == 1);
    CHECK(o.err.starts_with("skytools: this takes a member of " + role + ": "));
  }
  CHECK(test::everything(db) == before);
  for (auto& args : std::vector<std::vector<std::string>>{{"list"}, {"show"}, {"show", "q"}, {"stats"}})
    CHECK(db.try_run(args, "", "queue_nobody").exit == 0);
}

TEST_CASE("unreachable, missing schema, unknown words") {
  QueueDatabase db;
  test::Database bare;
  for (std::vector<std::string> args :
       std::vector<std::vector<std::string>>{{"list"}, {"create", "q"}, {"tick", "q"}}) {
    std::vector<std::string> full{"queue", "--db", bare.conninfo(), "--json"};
    full.insert(full.end(), args.begin(), args.end());
    Output o = test::run_skytools(full);
    CHECK(o.exit == 6);
    CHECK(contains(json::parse(o.out)["error"]["message"], "run: skytools install --db"));
    full[2] = "host=/nonexistent dbname=x";
    CHECK(test::run_skytools(full).exit == 4);
  }
  db.check_failure({"lst"}, 2, "did you mean 'list'?");
  db.check_failure({"dead", "lst", "q"}, 2, "did you mean 'list'?");
  CHECK(contains(test::run_skytools({"help", "queue", "dead", "replay"}).out, "Example:"));
}

TEST_CASE("on the original's extension alone, what needs only pgq works, the rest says what to install") {
  test::Database db;
  if (extension_database(db).empty()) return;
  auto run = [&](std::vector<std::string> args) {
    args.insert(args.begin(), "queue");
    args.insert(args.end(), {"--db", db.conninfo(), "--json"});
    return test::run_skytools(args);
  };
  Output created = run({"create", "q"});
  CHECK(created.exit == 0);
  CHECK(contains(created.err, "no retry limit"));
  for (auto& args : std::vector<std::vector<std::string>>{{"set", "q", "ticker_max_lag=1s"},
                                                          {"register", "q", "c"},
                                                          {"send", "q", "--data", "x"},
                                                          {"list"},
                                                          {"show"},
                                                          {"show", "q"},
                                                          {"stats"},
                                                          {"peek", "q", "c"},
                                                          {"pause", "q"},
                                                          {"resume", "q"}}) {
    Output o = run(args);
    INFO(args[0] << ": " << o.err);
    CHECK(o.exit == 0);
  }
  for (auto& args : std::vector<std::vector<std::string>>{{"create", "r", "--set", "retry_limit=3"},
                                                          {"set", "q", "retry_limit=3"},
                                                          {"pause", "q", "--consumer", "c"},
                                                          {"seek", "q", "c", "1", "--yes"},
                                                          {"dead", "list", "q"},
                                                          {"dead", "replay", "q", "c"}}) {
    Output o = run(args);
    INFO(args[0] << ": " << o.err);
    CHECK(o.exit == 6);
    CHECK(contains(o.err, "run: skytools install --db"));
  }
  CHECK(run({"tick", "q", "--timeout", "300ms"}).exit == 7);  // nobody else may tick there
  CHECK(run({"unregister", "q", "c"}).exit == 0);
  CHECK(run({"drop", "q", "--yes"}).exit == 0);
}
TEST_CASE("what belongs to a cascade is left alone") {
  QueueDatabase db;
  Output o = test::run_skytools({"londiste", "create-root", "hq", "--db", db.conninfo(), "-Q", "set"});
  REQUIRE(o.exit == 0);
  db.query(
      "select pgq_node.register_location('set', 'leaf', 'dbname=x', false),"
      " pgq_node.register_subscriber('set', 'leaf', 'set_leaf', null)");
  std::string before = test::everything(db);
  db.check_failure({"drop", "set", "--force", "--yes"}, 5, "belongs to cascade node hq; drop the node first");
  db.check_failure({"unregister", "set", ".global_watermark"}, 5, "belongs to cascade node hq");
  db.check_failure({"unregister", "set", "set_leaf"}, 5, "belongs to cascade node leaf");
  db.check_failure({"seek", "set", "set_leaf", "1", "--yes"}, 5, "belongs to cascade node leaf");
  CHECK(test::everything(db) == before);
  db.run({"register", "set", "own"});
  CHECK(db.ask({"unregister", "set", "own"})["result"] == "unregistered");
}
