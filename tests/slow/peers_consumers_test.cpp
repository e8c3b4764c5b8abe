// The original's Python consumer classes, as Debian packages them, on our schemas pgq_coop and pgq_ext. Skipped with a
// line when they aren't installed.
#include <doctest/doctest.h>

#include <fstream>
#include <iostream>

#include "core/schema/install.h"
#include "tests/support/cluster.h"

using namespace skytools;
using namespace skytools::test;
using namespace std::chrono_literals;

namespace {

constexpr milliseconds kPatience = 60s;
constexpr const char* kPython = "/usr/bin/python3";  // the one that Debian's packages belong to

bool missing() {
  if (run_program({kPython, "-c", "import pgq"}).exit == 0) return false;
  std::cerr << "SKIPPED: python3-pgq is not installed\n";
  return true;
}

/// A queue, a target database and a Python program: a consumer of this class, with this method.
struct Peer {
  Database source, target;
  run::TempFolder folder{{}, "skytools_peer."};
  std::string program;
  Background ticker;

  Peer(const std::string& base, const std::string& databases, const std::string& method)
      : program(write("consumer.py", "import sys, pgq\nclass Worker(pgq." + base + "):\n" + method +
                                         "Worker('worker', " + databases + ", sys.argv[1:]).start()\n")),
        ticker((install(source, "pgq_coop"), install(target, "pgq_ext"),
                std::vector<std::string>{"ticker", "--db", source.conninfo()})) {
    source.query("select pgq.create_queue('q')");
    for (const Database* db : {&source, &target})
      db->query("create table done (worker text, ev_id bigint, ev_data text)");
  }
  static void install(const Database& db, const std::string& module) {
    pg::Connection c("test", db.conninfo());
    schema::install(c, {.modules = {module}});
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path() / name) << text;
    return folder.path() / name;
  }
  std::string ini(const std::string& name, const std::string& more) const {
    return write(name + ".ini",
                 "[worker]\njob_name = " + name + "\nqueue_name = q\nconsumer_name = m\nlogfile =\npidfile = " +
                     (folder.path() / (name + ".pid")).string() + "\nloop_delay = 0.1\nsrc_db = " + source.conninfo() +
                     "\ndst_db = " + target.conninfo() + "\n" + more);
  }
  Output run(const std::string& ini, const std::string& option) const {
    return run_program({kPython, program, ini, option});
  }
  run::Launch launch(const std::string& ini) const {
    return {.argv = {kPython, program, ini}, .folder = folder.path(), .out = ini + ".out", .death_signal = 9};
  }
  void insert(int from, int to) const {
    source.query("select pgq.insert_event('q', 't', 'data ' || g) from generate_series(" + std::to_string(from) + ", " +
                 std::to_string(to) + ") g");
  }
};

/// All events once, and the queue's consumer has nothing open.
bool done(const Peer& peer, const Database& db, int events) {
  return eventually(kPatience, [&] {
    return db.query("select count(*), count(distinct ev_id) from done") ==
               std::to_string(events) + "|" + std::to_string(events) &&
           peer.source.query("select count(sub_batch) from pgq.subscription") == "0";
  });
}

constexpr const char* kRemoteBatch =
    "    def process_remote_batch(self, src_db, batch_id, events, dst_db):\n"
    "        curs = dst_db.cursor()\n"
    "        for ev in events:\n"
    "            curs.execute('insert into done values (%s, %s, %s)', ['remote', ev.ev_id, ev.ev_data])\n";

}  // namespace

TEST_CASE("CoopConsumer: two processes share a queue, a dead one's batch goes to the other") {
  if (missing()) return;
  Peer peer("CoopConsumer", "'src_db'",
            "    def process_event(self, db, ev):\n"
            "        db.cursor().execute('insert into done values (%s, %s, %s)', [self.cf.get('job_name'), ev.ev_id, "
            "ev.ev_data])\n");
  const std::string a = peer.ini("a", "subconsumer_name = a\n");  // calls next_batch with three arguments
  const std::string b = peer.ini("b", "subconsumer_name = b\nsubconsumer_timeout = 1 hour\n");
  for (auto& ini : {a, b}) {
    auto registered = peer.run(ini, "--register");
    INFO(registered.err);
    REQUIRE(registered.exit == 0);
  }
  CHECK(peer.source.query(
            "select string_agg(consumer_name, ' ' order by consumer_name) from pgq.get_consumer_info('q')") ==
        "m m.a m.b");
  // one that died with a batch
  peer.source.query("select pgq_coop.register_subconsumer('q', 'm', 'dead')");
  peer.insert(1, 50);
  REQUIRE(eventually(kPatience,
                     [&] { return peer.source.query("select pgq_coop.next_batch('q', 'm', 'dead')") != "NULL"; }));
  peer.source.query("update pgq.subscription set sub_active = now() - interval '2 hours' where sub_batch is not null");
  {
    run::Child first(peer.launch(a)), second(peer.launch(b));
    for (int i = 1; i <= 10; ++i) peer.insert(i * 50 + 1, i * 50 + 50);
    CHECK(done(peer, peer.source, 550));
  }
  CHECK(peer.source.query(
            "select string_agg(consumer_name, ' ' order by consumer_name) from pgq.get_consumer_info('q')") ==
        "m m.a m.b");
  // where the process was ended with an empty batch
  peer.source.query("select pgq_coop.finish_batch(sub_batch) from pgq.subscription where sub_batch is not null");
  CHECK(peer.run(a, "--unregister").exit == 0);
  CHECK(peer.source.query("select string_agg(co_name, ' ' order by co_name) from pgq.consumer") == "m m.b");
}

TEST_CASE("RemoteConsumer keeps its batches in pgq_ext") {
  if (missing()) return;
  Peer peer("RemoteConsumer", "'src_db', 'dst_db'", kRemoteBatch);
  const std::string ini = peer.ini("remote", "");
  REQUIRE(peer.run(ini, "--register").exit == 0);
  peer.insert(1, 20);
  {
    run::Child consumer(peer.launch(ini));
    CHECK(done(peer, peer.target, 20));
  }
  // applied and remembered, but not finished: it is not applied again
  peer.insert(21, 30);
  std::string batch, ids;
  REQUIRE(eventually(kPatience, [&] {
    batch = peer.source.query("select pgq.next_batch('q', 'm')");
    if (batch == "NULL") return false;
    ids = peer.source.query("select count(*) from pgq.get_batch_events(" + batch + ")");
    if (ids == "0") peer.source.query("select pgq.finish_batch(" + batch + ")");
    return ids == "10";
  }));
  peer.target.query("select pgq_ext.set_batch_done('m', " + batch + ")");
  run::Child consumer(peer.launch(ini));
  peer.insert(31, 40);
  CHECK(done(peer, peer.target, 30));
  CHECK(peer.target.query("select count(*) from done where ev_id between 21 and 30") == "0");
}

TEST_CASE("SerialConsumer keeps its tick in pgq_ext") {
  if (missing()) return;
  Peer peer("SerialConsumer", "'src_db', 'dst_db'", kRemoteBatch);
  const std::string ini = peer.ini("serial", "");
  REQUIRE(peer.run(ini, "--register").exit == 0);
  const std::string start = peer.source.query("select last_tick from pgq.get_consumer_info('q')");
  peer.insert(1, 20);
  {
    run::Child consumer(peer.launch(ini));
    CHECK(done(peer, peer.target, 20));
    CHECK(eventually(kPatience, [&] {
      return peer.target.query("select pgq_ext.get_last_tick('m')") ==
             peer.source.query("select last_tick from pgq.get_consumer_info('q')");
    }));
  }
  // the target restored from before: the queue goes back to its tick
  peer.target.query("delete from done; select pgq_ext.set_last_tick('m', " + start + ")");
  REQUIRE(peer.run(ini, "--rewind").exit == 0);
  CHECK(peer.source.query("select last_tick from pgq.get_consumer_info('q')") == start);
  run::Child consumer(peer.launch(ini));
  CHECK(done(peer, peer.target, 20));
}
