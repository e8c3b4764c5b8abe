#include <doctest/doctest.h>

#include <csignal>

#include "core/pg/transaction.h"
#include "tests/support/cluster.h"

using namespace skytools;
using run::ThrowawayServer;

namespace {
std::string setting(const ThrowawayServer& s, const std::string& name) {
  return test::query(s.conninfo("postgres"), "show " + name);
}
}  // namespace

TEST_CASE("a server is made as told, and gone with the object") {
  std::filesystem::path folder;
  pid_t pid;
  {
    ThrowawayServer plain;
    CHECK(setting(plain, "fsync") == "off");
    CHECK(setting(plain, "synchronous_commit") == "on");
    CHECK(setting(plain, "wal_level") == "minimal");
    CHECK(setting(plain, "listen_addresses").empty());
    CHECK(setting(plain, "server_encoding") == "UTF8");
    CHECK(test::query(plain.new_database("Odd 'Name\""), "select current_database()") == "Odd 'Name\"");
    folder = plain.folder();
    pid = plain.pid();
  }
  CHECK_FALSE(std::filesystem::exists(folder));
  CHECK(kill(pid, 0) != 0);
  ThrowawayServer other({.settings = "work_mem = '7MB'", .wal_level = "logical", .durable = true, .port = 6000});
  CHECK(setting(other, "work_mem") == "7MB");
  CHECK(setting(other, "wal_level") == "logical");
  CHECK(setting(other, "fsync") == "on");
  CHECK(setting(other, "port") == "6000");
}

TEST_CASE("a folder too long for a socket is no obstacle") {
  run::TempFolder base("", "skytools-test");
  std::filesystem::path deep = base.path() / std::string(120, 'x') / "it's deep";
  std::filesystem::create_directories(deep);
  std::filesystem::permissions(base.path(), std::filesystem::perms::others_exec, std::filesystem::perm_options::add);
  ThrowawayServer s({.base = deep});
  CHECK(s.folder().string().starts_with(deep.string()));
  CHECK(setting(s, "data_directory").starts_with(deep.string()));
}

TEST_CASE("a server that cannot start says why") {
  CHECK_THROWS_WITH_AS(ThrowawayServer({.settings = "no_such_setting = 1"}),
                       doctest::Contains("unrecognized configuration parameter \"no_such_setting\""), Error);
}

TEST_CASE("a stop request ends the making of a server") {
  StopToken stop;
  stop.request();
  CHECK_THROWS_AS(ThrowawayServer({.stop = &stop}), Stopped);
}

TEST_CASE("a restarted server is the same one") {
  ThrowawayServer s;
  std::string db = s.new_database("d");
  test::query(db, "create table t as select 1 as a");
  pid_t before = s.pid();
  s.restart();
  CHECK(s.pid() != before);
  s.start();  // it runs already
  CHECK(test::query(db, "select a from t") == "1");
  s.stop();
  CHECK_THROWS_AS(test::query(db, "select 1"), pg::ConnectError);
}
