// Several deaths one after another: whose history ends where, and who comes back.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "core/run/temp_folder.h"
#include "tests/support/roaming_set.h"

using namespace skytools;
using std::chrono::seconds;
using test::RoamingSet;

namespace {

std::string inserted(int from, int to) {
  return "insert into ledger select g, 1, 0 from generate_series(" + std::to_string(from) + ", " + std::to_string(to) +
         ") g";
}

std::string content(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("root after root dies; all come back, each from where its own history ends") {
  run::ThrowawayServer first{{.wal_level = "replica"}}, second{{.wal_level = "replica"}};
  RoamingSet s({{"root", "", &first}, {"branch", "root", &second}, {"branch2", "root"}, {"leaf", "branch2"}});
  run::TempFolder folder{{}, "skytools_test"};
  auto resurrect = [&](const char* node) {
    std::string file = folder.path() / (std::string(node) + ".json");
    auto o = s.role(node, {"resurrect", "--lost-events", file});
    CHECK_MESSAGE(o.exit == 0, o.err);
    return content(file);
  };
  // Each dies with ten rows that nobody else has, in ticks whose numbers the next root gives others.
  auto die = [&](const char* node, run::ThrowawayServer& server, int first_row, std::vector<std::string> readers) {
    for (auto& reader : readers) s.c.sync(reader);
    for (auto& reader : readers) s.c.stop(reader);
    s.c.query(node, inserted(first_row, first_row + 9));
    s.c.tick();
    s.c.tick();
    s.c.stop(node);
    server.crash();
    for (auto& reader : readers) s.c.start(reader);
    auto o = s.role("leaf", {"failover", "--to", readers[0], "--dead", node});
    REQUIRE_MESSAGE(o.exit == 0, o.err);
    s.c.root_is(readers[0]);
    s.c.query(readers[0], inserted(10 * first_row + 100, 10 * first_row + 199));
    for (int i = 0; i < 10; ++i) s.c.tick();
  };
  die("root", first, 1, {"branch", "branch2"});
  die("branch", second, 11, {"branch2"});

  first.start();
  s.c.start("root");
  std::string lost = resurrect("root");
  CHECK(lost.find("id=1&") != std::string::npos);
  CHECK(lost.find("id=10&") != std::string::npos);
  CHECK(lost.find("id=110&") == std::string::npos);
  s.c.query("root",
            "set session_replication_role = replica; delete from ledger where id <= 10");  // a person decides so
  s.c.query("root", "select pgq_node.set_consumer_paused('set', 'set_root', false)");
  s.c.sync("root");
  second.start();
  s.c.start("branch");
  lost = resurrect("branch");
  CHECK(lost.find("id=11&") != std::string::npos);
  CHECK(lost.find("id=110&") == std::string::npos);
  s.c.query("branch", "set session_replication_role = replica; delete from ledger where id between 11 and 20");
  s.c.query("branch", "select pgq_node.set_consumer_paused('set', 'set_branch', false)");
  s.c.sync_all();
  CHECK(s.types() == "root < branch2; branch < branch2; branch2 < branch2; leaf < branch2; ");
  CHECK(s.c.query("branch2", "select count(*) from ledger") == "200");
  CHECK(s.c.difference({"ledger", "account"}) == "");
}

TEST_CASE("a branch and a leaf that were given up below a living root come back where they were") {
  run::ThrowawayServer server{{.wal_level = "replica"}};
  RoamingSet s({{"root"}, {"branch", "root", &server}, {"leaf", "root", &server}, {"branch2", "root"}});
  s.c.sync_all();
  for (auto* node : {"branch", "leaf"}) s.c.stop(node);
  server.crash();
  auto o = s.role("root", {"failover", "--to", "branch2", "--dead", "branch", "--dead", "leaf"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  s.c.query("root", inserted(1, 10));
  server.start();
  o = s.role("branch", {"resurrect"});
  CHECK(o.exit == 1);
  CHECK_MESSAGE(o.err.find("change-provider --provider") != std::string::npos, o.err);
  for (auto* node : {"branch", "leaf"}) {
    s.c.start(node);
    o = s.role(node, {"change-provider", "--provider", "root"});
    CHECK_MESSAGE(o.exit == 0, o.err);
  }
  s.c.sync_all();
  CHECK(s.c.query("branch2", "select count(*) from pgq_node.node_location where dead") == "0");
  CHECK(s.c.difference({"ledger", "account"}) == "");
}
