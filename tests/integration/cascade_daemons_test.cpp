// Cascaded queues without Londiste: the worker that passes events on, and consumers with a position of their own.
#include <doctest/doctest.h>

#include <csignal>

#include "core/pg/connection.h"
#include "tests/support/net.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::Output;

namespace {

const std::vector<std::string> kWorker{"cascade", "worker"};
constexpr const char* kEvents =
    "select ev_id, ev_time, ev_type, ev_data, ev_extra1, ev_extra2 from pgq.event_template where ev_type not like "
    "'pgq.%' order by ev_id";

bool says(const Output& o, const std::string& text) { return o.err.find(text) != std::string::npos; }

/// A root, a branch and a leaf behind it; workers run.
struct Chain : test::Net {
  Chain() : Net({"root", "branch", "leaf"}) {
    node("root", "q", "root");
    node("branch", "q", "branch", "root");
    node("leaf", "q", "leaf", "branch");
    for (auto* db : {"root", "branch", "leaf"}) start(db, "q", kWorker);
  }
  void insert(int n) const {
    query("root",
          "select pgq.insert_event('q', 'order', g::text, 'x' || g, null, null, null) from generate_series(1, " +
              std::to_string(n) + ") g");
  }
  void reach_all(std::int64_t wanted) {
    for (auto* db : {"branch", "leaf"}) reach(db, "q", wanted);
  }
};

/// … with a consumer `c` on the leaf that writes what it gets into table got.
struct Consumed : Chain {
  Consumed() {
    query("leaf", "create table got (id bigint, data text, extra text)");
    run("cascade", "leaf", "q", {"consumer", "--consumer", "c", "--register"});
  }
  test::Background& consume(const test::ProgramOptions& options = {}) {
    return consumer_ = std::make_unique<test::Background>(
               std::vector<std::string>{"cascade", "consumer", "--consumer", "c", "--sql",
                                        "insert into got values ($4, $1, $3)", "--db", conninfo("leaf"), "-Q", "q",
                                        "--exception-sleep", "1s"},
               options),
           *consumer_;
  }
  std::string got() const { return query("leaf", "select string_agg(data, ',' order by id) from got"); }
  std::unique_ptr<test::Background> consumer_;
};

}  // namespace

TEST_CASE("cascade worker passes any event on, ids and ticks kept, and applies nothing") {
  Chain c;
  c.insert(3);
  c.query("root", "select pgq.insert_event('q', 'londiste.add-table', 'public.none')");
  c.query("root", "select pgq.insert_event('q', 'I:id', 'id=1', 'public.none', null, null, null)");
  std::int64_t tick = c.tick("root", "q");
  c.reach_all(tick);
  CHECK(c.query("branch", kEvents) == c.query("root", kEvents));
  CHECK(c.query("branch", "select tick_id from pgq.tick where tick_id = " + std::to_string(tick)) ==
        std::to_string(tick));
  CHECK(c.query("leaf", "select count(*) from pgq_node.node_location") == "3");
  for (auto* db : {"root", "branch", "leaf"}) CHECK(c.errors(db) == "");
  CHECK(c.try_run("cascade", "branch", "q", {"worker"}).exit == 5);  // one per node, of either kind
  CHECK(c.try_run("londiste", "branch", "q", {"worker"}).exit == 5);
}

TEST_CASE("cascade worker merges parts, and refuses a node whose tables are replicated") {
  test::Net n({"s1", "s2", "hub"});
  for (auto* part : {"s1", "s2"}) n.node(part, part, "root");
  n.node("hub", "all", "root");
  for (auto* part : {"s1", "s2"}) {
    n.node("hub", part, "leaf", part, {"--merge", "all"});
    n.start("hub", part, kWorker);
    n.query(part, std::string("select pgq.insert_event('") + part + "', 'order', 'of " + part + "')");
    n.reach("hub", part, n.tick(part, part));
  }
  CHECK(n.query("hub",
                "select string_agg(ev_data, ',' order by ev_data) from pgq.event_template where ev_type = "
                "'order'") == "of s1,of s2");
  n.query("s1", "create table t (id int primary key)");
  n.run("londiste", "s1", "s1", {"add-table", "t"});
  Output o = n.try_run("cascade", "s1", "s1", {"worker", "--once"});
  CHECK(o.exit == 5);
  CHECK(says(o, "skytools londiste worker"));
}

TEST_CASE("a cascaded consumer applies each event once, whatever is killed") {
  Consumed c;
  c.consume();
  c.insert(3);
  std::int64_t wanted = c.tick("root", "q");
  c.reach("leaf", "q", wanted, "c");
  CHECK(c.got() == "1,2,3");
  CHECK(c.query("leaf", "select extra from got where data = '2'") == "x2");
  for (auto* point : {"worker.before_commit", "worker.after_commit"}) {
    CAPTURE(point);
    c.consumer_->stop();
    c.insert(2);
    wanted = c.tick("root", "q");
    auto& doomed = c.consume({.env = {{"SKYTOOLS_FAILPOINTS", std::string(point) + "=crash"}}});
    REQUIRE(eventually(seconds(20), [&] { return !doomed.running(); }));
    c.consume();
    c.reach("leaf", "q", wanted, "c");
  }
  CHECK(c.query("leaf", "select count(*), count(distinct id) from got") == "7|7");
  // The worker beside it has a position of its own, and it holds events back where it reads.
  CHECK(c.query("branch", "select count(*) from pgq.get_consumer_info('q') where consumer_name in ('c', 'q_leaf_q')") ==
        "2");
  Output o = c.try_run("cascade", "leaf", "q", {"consumer", "--consumer", "c", "--sql", "select 1", "--once"});
  CHECK(o.exit == 5);
  CHECK(says(o, "another process of consumer c"));
}

TEST_CASE("a cascaded consumer stops at an event that fails, says so, and goes on when that is mended") {
  Consumed c;
  c.query("leaf", "alter table got add check (data <> '2')");
  c.consume();
  c.insert(3);
  std::int64_t wanted = c.tick("root", "q");
  CHECK(eventually(seconds(20), [&] { return c.errors("leaf").find("event ") != std::string::npos; }));
  CHECK(c.errors("leaf").find("failed") != std::string::npos);
  CHECK(c.got() == "NULL");
  c.query("leaf", "alter table got drop constraint got_data_check");
  c.reach("leaf", "q", wanted, "c");
  CHECK(c.got() == "1,2,3");
  CHECK(eventually(seconds(10), [&] { return c.errors("leaf") == ""; }));
}

TEST_CASE("pause, another provider and a root's role work on a cascaded consumer") {
  Consumed c;
  c.consume();
  std::string flags = "select paused, uptodate from pgq_node.get_consumer_state('q', 'c')";
  c.query("leaf", "select * from pgq_node.set_consumer_paused('q', 'c', true)");
  CHECK(eventually(seconds(10), [&] { return c.query("leaf", flags) == "t|t"; }));
  c.insert(1);
  c.reach_all(c.tick("root", "q"));
  CHECK(c.got() == "NULL");
  // From the branch to the root: its position is valid there, ticks are the same everywhere.
  std::int64_t stood = c.position("leaf", "q", "c");
  c.query("root", "select pgq.register_consumer_at('q', 'c', " + std::to_string(stood) + ")");
  c.query("leaf", "select * from pgq_node.change_consumer_provider('q', 'c', 'root_q')");
  c.query("leaf", "select * from pgq_node.set_consumer_paused('q', 'c', false)");
  c.reach("leaf", "q", c.tick("root", "q"), "c");
  CHECK(c.got() == "1");
  c.consumer_->stop();
  // On a root it waits.
  c.query("root", "select pgq_node.register_consumer('q', 'c', 'branch_q', 1)");
  Output o = c.try_run("cascade", "root", "q", {"consumer", "--consumer", "c", "--sql", "select 1", "--once"});
  CHECK(o.exit == 0);
  CHECK(c.position("root", "q", "c") == 1);
}

TEST_CASE("consumers are registered and unregistered on both sides, provider first, also halfway") {
  Chain c;
  auto registered = [&](const std::string& provider) {
    return c.query(provider, "select count(*) from pgq.get_consumer_info('q') where consumer_name = 'c'") + " " +
           c.query("leaf", "select count(*) from pgq_node.local_state where consumer_name = 'c'");
  };
  auto consumer = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"consumer", "--consumer", "c"});
    return c.try_run("cascade", "leaf", "q", args);
  };
  Output o = consumer({"--sql", "select 1"});
  CHECK(o.exit == 1);
  CHECK(says(o, "--register"));
  CHECK(consumer({}).exit == 2);
  CHECK(consumer({"--register", "--unregister"}).exit == 2);
  CHECK(consumer({"--sql", "select $10"}).exit == 2);
  o = consumer({"--register", "--dry-run"});
  CHECK(o.exit == 0);
  CHECK(o.out.find("register c on the queue of branch_q") != std::string::npos);
  CHECK(registered("branch") == "0 0");
  CHECK(consumer({"--register", "--provider", "nobody"}).exit == 1);
  c.query("branch", "select pgq.register_consumer('q', 'c')");  // as after a crash between the two sides
  CHECK(consumer({"--register"}).exit == 0);
  CHECK(registered("branch") == "1 1");
  CHECK(consumer({"--register"}).exit == 0);
  CHECK(says(consumer({"--register", "--provider", "root_q"}), "reads node branch_q"));
  CHECK(consumer({"--unregister"}).exit == 0);
  CHECK(registered("branch") == "0 0");
  CHECK(consumer({"--register", "--provider", "root_q"}).exit == 0);
  CHECK(registered("root") == "1 1");
  CHECK(consumer({"--register", "--sql", "select $1", "--once"}).exit == 0);
}

TEST_CASE("rewind and reset join a position and a queue that came apart") {
  Chain c;
  c.insert(1);
  std::int64_t first = c.tick("root", "q");
  c.reach_all(first);
  c.stop("leaf", "q");
  c.insert(1);
  std::int64_t second = c.tick("root", "q");
  c.reach("branch", "q", second);
  auto worker = [&](std::vector<std::string> args) {
    args.insert(args.begin(), "worker");
    return c.try_run("cascade", "leaf", "q", args);
  };
  auto at_provider = [&] {
    return std::stoll(
        c.query("branch", "select last_tick from pgq.get_consumer_info('q') where consumer_name = 'q_leaf_q'"));
  };
  std::int64_t stood = c.position("leaf", "q");

  // As if the provider's queue had been moved by hand.
  c.query("branch", "select pgq.register_consumer_at('q', 'q_leaf_q', " + std::to_string(second) + ")");
  c.tick("root", "q");
  c.reach("branch", "q", c.tick("root", "q"));
  Output o = worker({"--once"});
  CHECK(o.exit == 1);
  for (auto* part : {"lost position", "--rewind", "--reset", "provider branch_q"}) CHECK(says(o, part));
  CHECK(worker({"--rewind", "--reset"}).exit == 2);
  o = worker({"--rewind", "--dry-run"});
  CHECK(o.exit == 0);
  CHECK(o.out.find("to tick " + std::to_string(stood)) != std::string::npos);
  CHECK(at_provider() == second);
  CHECK(worker({"--rewind"}).exit == 0);
  CHECK(at_provider() == stood);
  CHECK(c.position("leaf", "q") == stood);
  CHECK(worker({"--once"}).exit == 0);

  c.query("branch", "select pgq.register_consumer_at('q', 'q_leaf_q', " + std::to_string(second) + ")");
  CHECK(worker({"--once"}).exit == 1);
  CHECK(worker({"--reset"}).exit == 0);
  CHECK(c.position("leaf", "q") == second);
  CHECK(worker({"--once"}).exit == 0);

  CHECK(c.try_run("cascade", "branch", "q", {"worker", "--rewind"}).exit == 5);  // it runs
  o = c.try_run("cascade", "root", "q", {"worker", "--reset"});
  CHECK(o.exit == 5);
  c.stop("root", "q");
  o = c.try_run("cascade", "root", "q", {"worker", "--reset"});
  CHECK(o.exit == 1);
  CHECK(says(o, "is the root"));
  c.stop("branch", "q");
  c.query("root", "select pgq.register_consumer_at('q', 'q_branch_q', " + std::to_string(first) + ")");
  o = c.try_run("londiste", "branch", "q", {"worker", "--reset"});
  CHECK(o.exit == 1);
  CHECK(says(o, "copy events twice"));
  CHECK(c.try_run("londiste", "branch", "q", {"worker", "--rewind"}).exit == 0);
}

TEST_CASE("a worker answers in the pause after an error, and what was changed ends the pause") {
  Chain c;
  c.stop("leaf", "q");
  c.query("root", "select pgq.insert_event('q', 'pgq.unheard-of', 'x')");
  c.query("branch", "select * from pgq_node.set_consumer_paused('q', 'q_branch_q', true)");
  c.tick("root", "q");
  c.start("branch", "q", {"cascade", "worker", "--exception-sleep", "10m"});
  c.query("branch", "select * from pgq_node.set_consumer_paused('q', 'q_branch_q', false)");
  CHECK(eventually(seconds(20), [&] { return c.errors("branch").find("unknown cascade event") != std::string::npos; }));
  std::string state = "select uptodate, paused from pgq_node.get_worker_state('q')";
  for (int i = 0; i < 8; ++i) {  // pauses grow; each is ended
    c.query("branch", "select * from pgq_node.set_consumer_uptodate('q', 'q_branch_q', false)");
    CHECK(eventually(seconds(5), [&] { return c.query("branch", state) == "t|f"; }));
  }
  c.query("branch", "select * from pgq_node.set_consumer_paused('q', 'q_branch_q', true)");
  CHECK(eventually(seconds(5), [&] { return c.query("branch", state) == "t|t"; }));
}

TEST_CASE("names and locations may change under a running worker") {
  Chain c;
  c.insert(1);
  c.reach_all(c.tick("root", "q"));
  auto connects = [&](const std::string& provider) {
    std::string log = c.worker("branch", "q").log(),
                line = "reading from provider queue=q node=branch_q provider=" + provider;
    int times = 0;
    for (auto at = log.find(line); at != std::string::npos; at = log.find(line, at + 1)) ++times;
    return times;
  };
  CHECK(connects("root_q") == 1);
  c.query("branch",
          "update pgq_node.node_location set node_location = node_location || ' connect_timeout=9' where node_name = "
          "'root_q'");
  CHECK(eventually(seconds(20), [&] { return connects("root_q") == 2; }));
  c.insert(1);
  c.reach_all(c.tick("root", "q"));
  c.query("branch",
          "begin; insert into pgq_node.node_location select queue_name, 'new_name', node_location, dead from "
          "pgq_node.node_location where node_name = 'root_q'; update pgq_node.local_state set provider_node = "
          "'new_name' where provider_node = 'root_q'; delete from pgq_node.node_location where node_name = 'root_q'; "
          "commit");
  c.insert(1);
  c.reach_all(c.tick("root", "q"));
  CHECK(connects("new_name") == 1);
  CHECK(c.query("branch", kEvents) == c.query("root", kEvents));
  CHECK(c.errors("branch") == "");
}

TEST_CASE("of a provider that does not answer the error says when it is marked dead") {
  Chain c;
  c.stop("leaf", "q");
  c.query("leaf", "select * from pgq_node.register_location('q', 'branch_q', 'host=/nowhere dbname=none', false)");
  Output o = c.try_run("cascade", "leaf", "q", {"worker", "--once"});
  CHECK(o.exit == 4);
  CHECK_FALSE(says(o, "marked dead"));
  c.query("leaf", "select * from pgq_node.register_location('q', 'branch_q', null, true)");
  o = c.try_run("cascade", "leaf", "q", {"worker", "--once"});
  CHECK(o.exit == 4);
  CHECK(says(o, "branch_q is marked dead"));
}

TEST_CASE("a worker needs the rights of pgq_admin, a consumer those of pgq_writer") {
  Consumed c;
  std::string name = c.query("branch", "select current_database()");
  auto role = [&](const std::string& db, const std::string& group) {
    std::string user = name + "_" + group;
    c.query(db, "create role \"" + user + "\" login in role " + group);
    return pg::with_keyword(c.conninfo(db), "user", user);
  };
  c.stop("branch", "q");
  test::Background worker({"cascade", "worker", "--db", role("branch", "pgq_admin"), "-Q", "q"});
  std::string writer = role("leaf", "pgq_writer");
  c.query("leaf", "grant insert on got to pgq_writer");
  test::Background consumer({"cascade", "consumer", "--consumer", "c", "--sql", "insert into got values ($4, $1, $3)",
                             "--db", writer, "-Q", "q"});
  c.insert(2);
  std::int64_t wanted = c.tick("root", "q");
  c.reach("branch", "q", wanted);
  CHECK(c.query("branch", kEvents) == c.query("root", kEvents));
  bool got = eventually(seconds(20), [&] { return c.got() == "1,2"; });
  CHECK_MESSAGE(got, consumer.log());
  consumer.stop();
  worker.stop();
  c.query("leaf", "drop owned by \"" + name + "_pgq_writer\"; drop role \"" + name + "_pgq_writer\"");
  c.query("branch", "drop owned by \"" + name + "_pgq_admin\"; drop role \"" + name + "_pgq_admin\"");
}
