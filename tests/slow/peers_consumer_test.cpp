// Our consumers on a database whose queues belong to Debian's C extension, with our schemas around it and without them.
// Skipped with a line where the package is missing.
#include <doctest/doctest.h>

#include <fstream>
#include <iostream>

#include "tests/support/consumer.h"

using namespace skytools;
using namespace skytools::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

bool extension_missing() {
  Database probe;
  if (probe.query("select count(*) from pg_available_extensions where name = 'pgq'") != "0") return false;
  std::cerr << "SKIPPED: postgresql-15-pgq3 is not installed\n";
  return true;
}

/// A database of the bare template with Debian's extension and a queue "q" with consumer "c".
struct Peer {
  Database db;
  run::TempFolder folder{{}, "skytools_peer."};
  Peer() {
    db.query("create extension pgq; select pgq.create_queue('q'); select pgq.register_consumer('q', 'c')");
    for (auto* key : {"ticker_max_lag", "ticker_idle_period"})
      db.query("select pgq.set_queue_config('q', '" + std::string(key) + "', '0')");
  }
  void batch(int n) const {
    db.query("select count(pgq.insert_event('q', 't', g::text)) from generate_series(1, " + std::to_string(n) + ") g");
    db.query("select pgq.ticker('q')");
  }
  Output run(const std::string& form, std::vector<std::string> args) const {
    args.insert(args.begin(), {"consumer", form, "--db", db.conninfo(), "-Q", "q", "--consumer", "c", "--once"});
    return run_skytools(args);
  }
  std::string count(const std::string& table) const { return db.query("select count(*) from " + table); }
};

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

constexpr const char* kRetryAll =
    "while read -r line; do id=${line#*\\\"id\\\": }; id=${id%%,*}; echo retry $id 0; done";
constexpr const char* kDeadAll =
    "while read -r line; do id=${line#*\\\"id\\\": }; id=${id%%,*}; echo dead $id bad; done";

}  // namespace

TEST_CASE("the extension alone: everything but dead letters") {
  if (extension_missing()) return;
  Peer p;
  p.batch(5);
  CHECK(lines(p.run("print", {}).out) == 5);
  p.batch(3);
  p.db.query("create table got (id bigint)");
  CHECK(p.run("run", {"--sql", "insert into got values ($4)"}).exit == 0);
  CHECK(p.count("got") == "3");
  p.batch(2);
  CHECK(p.run("run", {"--exec", kRetryAll}).exit == 0);
  CHECK(p.count("pgq.retry_queue") == "2");
  p.db.query("select pgq.maint_retry_events()");
  p.db.query("select pgq.ticker('q')");
  Output dead = p.run("run", {"--exec", kDeadAll});
  CHECK(dead.exit == 6);
  CHECK(dead.err.find("skytools install") != std::string::npos);
  CHECK(lines(p.run("print", {}).out) == 2);
  p.batch(4);
  CHECK(lines(p.run("local", {"--tracking-file", p.folder.path() / "pos"}).out) == 4);
  CHECK(run_skytools({"consumer", "list", "--db", p.db.conninfo(), "q"}).out.find("q      c") != std::string::npos);
}

TEST_CASE("the extension adopted: group, dead letters, mover") {
  if (extension_missing()) return;
  Peer p;
  REQUIRE(run_skytools({"install", "--db", p.db.conninfo()}).exit == 0);
  p.batch(3);
  CHECK(p.run("run", {"--exec", kDeadAll}).exit == 0);
  CHECK(p.db.query("select count(*) from skytools.dead_list('q', 'c')") == "3");
  p.batch(4);
  std::string seen = p.folder.path() / "seen";
  CHECK(p.run("coop", {"--workers", "2", "--exec",
                       "while read -r line; do id=${line#*\\\"id\\\": }; id=${id%%,*}; echo $id >> " + seen +
                           "; echo ack $id; done"})
            .exit == 0);
  CHECK(lines(run::read_file(seen)) == 4);
  p.db.query("select pgq.create_queue('q2'); select pgq.register_consumer('q', 'm')");
  p.batch(6);
  CHECK(p.run("move", {"--consumer", "m", "--to", p.db.conninfo(), "--to-queue", "q2"}).exit == 0);
  CHECK(p.count("pgq.event_2") == "6");
}
