// The programs of the original that Debian packages, against our schema: its daemon ticks our queues, its Python
// consumer reads them. Each is skipped with a line when it isn't installed.
#include <doctest/doctest.h>

#include <fstream>
#include <iostream>

#include "core/schema/install.h"
#include "tests/support/cluster.h"

using namespace skytools;
using namespace skytools::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr milliseconds kPatience = 60s;
constexpr const char* kPython = "/usr/bin/python3";  // the one that Debian's packages belong to

bool missing(const std::vector<std::string>& probe, const char* package) {
  if (run_program(probe).exit == 0) return false;
  std::cerr << "SKIPPED: " << package << " is not installed\n";
  return true;
}

struct Peer {
  Database db;
  run::TempFolder folder{{}, "skytools_peer."};

  Peer() {
    pg::Connection c("test", db.conninfo());
    schema::install(c, {.modules = {"pgq"}});
    db.query("select pgq.create_queue('q')");
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path() / name) << text;
    return folder.path() / name;
  }
  run::Launch launch(std::vector<std::string> argv) const {
    return {.argv = std::move(argv), .folder = folder.path(), .out = folder.path() / "out", .death_signal = 9};
  }
  std::string output() const {
    auto file = folder.path() / "out";
    return fs::exists(file) ? run::read_file(file) : "";
  }
};

}  // namespace

TEST_CASE("the original's daemon ticks, maintains and retries our queues") {
  if (missing({"pgqd", "-V"}, "pgqd")) return;
  Peer peer;
  std::string conninfo = peer.db.conninfo();
  auto at = conninfo.find(" dbname=");
  REQUIRE(at != std::string::npos);
  std::string ini =
      peer.write("pgqd.ini",
                 "[pgqd]\nsyslog = 0\nticker_period = 0.2\nmaint_period = 1\nretry_period = 1\nstats_period = 2\n"
                 "base_connstr = " +
                     conninfo.substr(0, at) + "\ndatabase_list = " + peer.db.name() + "\n");
  peer.db.query("select pgq.register_consumer('q', 'c')");
  peer.db.query("select pgq.insert_event('q', 't', 'd')");
  run::Child daemon(peer.launch({"pgqd", ini}));
  std::string batch;
  auto next_batch = [&] { return (batch = peer.db.query("select pgq.next_batch('q', 'c')")) != "NULL"; };
  auto events = [&] {
    return peer.db.query("select ev_id, coalesce(ev_retry, 0) from pgq.get_batch_events(" + batch + ")");
  };
  REQUIRE(eventually(kPatience, next_batch));
  REQUIRE(eventually(kPatience, [&] {
    if (!events().empty()) return true;
    peer.db.query("select pgq.finish_batch(" + batch + ")");
    next_batch();
    return false;
  }));
  std::string event = events();
  CHECK(event == "1|0");
  CHECK(peer.db.query("select pgq.event_retry(" + batch + ", 1, 0)") == "1");
  peer.db.query("select pgq.finish_batch(" + batch + ")");
  CHECK(eventually(kPatience,
                   [&] { return peer.db.query("select count(*) from pgq.event_1 where ev_retry = 1") == "1"; }));

  peer.db.query("update pgq.queue set queue_switch_time = now() - interval '1 day'");
  CHECK(eventually(kPatience, [&] {
    return peer.db.query("select queue_cur_table > 0 and queue_switch_step2 is not null from pgq.queue") == "t";
  }));
  CHECK(peer.output().find("pgq version ok") != std::string::npos);
  CHECK(daemon.running());
}

TEST_CASE("the original's Python consumer reads a queue that we tick") {
  if (missing({kPython, "-c", "import pgq"}, "python3-pgq")) return;
  Peer peer;
  std::string program = peer.write("consumer.py",
                                   "import sys, pgq\n"
                                   "class Reader(pgq.Consumer):\n"
                                   "    def process_event(self, db, ev):\n"
                                   "        print('got', ev.ev_id, ev.ev_type, ev.ev_data, ev.ev_extra1, flush=True)\n"
                                   "Reader('reader', 'src_db', sys.argv[1:]).start()\n");
  std::string ini = peer.write("reader.ini", "[reader]\njob_name = reader\nqueue_name = q\nlogfile =\npidfile = " +
                                                 (peer.folder.path() / "pid").string() +
                                                 "\nloop_delay = 0.1\nsrc_db = " + peer.db.conninfo() + "\n");
  Background ticker({"ticker", "--db", peer.db.conninfo()});
  auto registered = run_program({kPython, program, ini, "--register"});
  INFO(registered.err);
  REQUIRE(registered.exit == 0);
  peer.db.query("select pgq.insert_event('q', 'kind', 'some data', 'more', null, null, null)");
  run::Child consumer(peer.launch({kPython, program, ini}));
  CHECK(eventually(kPatience, [&] { return peer.output().find("got 1 kind some data more") != std::string::npos; }));
  peer.db.query("select pgq.insert_event('q', 'kind', 'later')");
  CHECK(eventually(kPatience, [&] { return peer.output().find("got 2 kind later None") != std::string::npos; }));
  CHECK(eventually(kPatience, [&] { return peer.db.query("select sub_batch is null from pgq.subscription") == "t"; }));
  CHECK(ticker.stop() == 0);
}
