#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/run/demo_compare.h"
#include "tests/support/cluster.h"

using namespace skytools;

namespace {

/// Is there a process that has this text in its command line?
bool process_with(const std::string& text) {
  for (auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    std::string line{std::istreambuf_iterator<char>(file), {}};
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

std::string folder_in(const std::string& story) {
  auto at = story.find(", in ");
  if (at == std::string::npos) return "";
  return story.substr(at + 5, story.find(' ', at + 5) - at - 5);
}

/// Ends what --keep left.
struct Leftover {
  std::filesystem::path folder;
  std::vector<pid_t> pids;
  ~Leftover() {
    for (pid_t pid : pids) kill(pid, SIGTERM);
    for (pid_t pid : pids) test::eventually(std::chrono::seconds(20), [&] { return kill(pid, 0) != 0; });
    std::filesystem::remove_all(folder);
  }
};

}  // namespace

TEST_CASE("the demo passes and leaves nothing behind") {
  run::TempFolder base("", "skytools-test");
  std::filesystem::permissions(base.path(), std::filesystem::perms::others_exec, std::filesystem::perm_options::add);
  auto o =
      test::run_skytools({"demo", "--seconds", "3", "--dir", base.path().string()}, {.limit = std::chrono::minutes(4)});
  CAPTURE(o.out);
  CAPTURE(o.err);
  CHECK(o.exit == 0);
  std::string last = o.out.substr(o.out.rfind('\n', o.out.size() - 2) + 1);
  CHECK(last.starts_with("demo passed: 5 tables equal on 3 nodes, "));
  CHECK(last.find(" rows, copy ") != std::string::npos);
  CHECK(last.find("catch-up ") != std::string::npos);
  CHECK(last.find("write pause of a switchover ") != std::string::npos);
  CHECK(o.out.find("make the branch the root while clients write: writers waited ") != std::string::npos);
  for (const char* table : {"public.pgbench_accounts", "public.pgbench_history", "Odd Schema.Täb \"le\" & Co."})
    CHECK(o.out.find(table) != std::string::npos);
  CHECK(std::filesystem::is_empty(base.path()));
  CHECK_FALSE(process_with(base.path().string()));
}

TEST_CASE("what the demo keeps goes on replicating, and its comparison sees every kind of difference") {
  auto o = test::run_skytools({"demo", "--seconds", "1", "--keep", "--json"}, {.limit = std::chrono::minutes(4)});
  CAPTURE(o.err);
  REQUIRE(o.exit == 0);
  auto json = nlohmann::json::parse(o.out);
  Leftover leftover{std::string(json["folder"]), {}};
  for (auto& pid : json["pids"]) leftover.pids.push_back(std::stoi(std::string(pid)));
  CHECK(json["equal"] == true);
  CHECK(json["tables"].size() == 5);
  CHECK(json["write_pauses"].size() == 2);
  run::DemoReport report;
  for (std::size_t i = 0; i < 3; ++i) report.nodes.push_back({json["nodes"][i], json["connections"][i]});
  const std::string &root = report.nodes[0].conninfo, &branch = report.nodes[1].conninfo,
                    &leaf = report.nodes[2].conninfo;

  test::query(root, "update pgbench_branches set filler = 'news'");
  CHECK(test::eventually(std::chrono::seconds(30),
                         [&] { return test::query(leaf, "select filler from pgbench_branches").starts_with("news"); }));
  auto last_value = [](const std::string& node) {
    return std::stoll(test::query(node, "select last_value from pgbench_history_hid_seq"));
  };
  CHECK(test::eventually(std::chrono::seconds(30), [&] {
    return last_value(branch) >= last_value(root) && last_value(leaf) >= last_value(root);
  }));

  StopToken stop;
  auto different = [&] {
    std::int64_t before = run::request_tick(report.nodes[0], stop);
    REQUIRE(test::eventually(std::chrono::seconds(30), [&] { return run::common_tick(report.nodes, stop) > before; }));
    run::compare(report, stop);
    std::string out;
    for (auto& t : report.tables)
      for (auto& node : t.different) out += t.name + "@" + node + " ";
    return out;
  };
  CHECK(different() == "");
  std::string as_replica = "set session_replication_role = replica; ";  // past the triggers that would refuse
  test::query(leaf, as_replica + "update pgbench_tellers set tbalance = tbalance + 1 where tid = 1");
  CHECK(different() == "public.pgbench_tellers@leaf ");
  test::query(branch, as_replica + "delete from pgbench_history where hid = (select min(hid) from pgbench_history)");
  CHECK(different() == "public.pgbench_history@branch public.pgbench_tellers@leaf ");
  test::query(
      leaf,
      as_replica +
          R"(update "Odd Schema"."Täb ""le"" & Co." set "nothing" = '' where ctid = (select min(ctid) from "Odd Schema"."Täb ""le"" & Co."))");
  CHECK(different().starts_with("Odd Schema.Täb \"le\" & Co.@leaf "));
  CHECK_FALSE(report.equal());
}

TEST_CASE("an interrupted demo cleans up, a killed one leaves nothing running") {
  for (int signal : {SIGINT, SIGKILL}) {
    CAPTURE(signal);
    test::Background demo({"demo", "--seconds", "60"});
    REQUIRE(test::eventually(std::chrono::minutes(2),
                             [&] { return demo.out().find("start a load") != std::string::npos || !demo.running(); }));
    std::string folder = folder_in(demo.out());
    REQUIRE(folder.find("skytools-demo") != std::string::npos);
    CHECK(process_with(folder));
    demo.signal(signal);
    CHECK(demo.wait() != 0);
    CHECK(test::eventually(std::chrono::seconds(20), [&] { return !process_with(folder); }));
    CHECK(std::filesystem::exists(folder) == (signal == SIGKILL));
    std::filesystem::remove_all(folder);
  }
}

TEST_CASE("the demo's rehearsal tells the steps and does nothing") {
  auto o = test::run_skytools({"demo", "--dry-run", "--dir", "/nowhere"});
  CHECK(o.exit == 0);
  CHECK(o.out.starts_with("start two PostgreSQL servers\n"));
  CHECK(o.out.find("compare all tables") != std::string::npos);
}

TEST_CASE("without PostgreSQL's programs, or a folder, the demo says what to do") {
  auto o = test::run_skytools({"demo"}, {.env = {{"SKYTOOLS_PG_BINDIR", "/nowhere"}}});
  CHECK(o.exit == 1);
  CHECK(o.err.find("SKYTOOLS_PG_BINDIR: no initdb and postgres in /nowhere") != std::string::npos);
  o = test::run_skytools({"demo", "--dir", "/nowhere"});
  CHECK(o.exit == 1);
  CHECK(o.err.find("cannot create a folder in /nowhere") != std::string::npos);
}
