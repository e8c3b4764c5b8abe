// The same scenarios against the original's PgQ, as Debian packages the extension, and against our schema: every
// statement of tests/peers/*.sql must leave the same rows, notices and errors. What we do otherwise on purpose is
// marked in the scripts with its reason and our outcome, and is checked to differ indeed. Skipped with a line when the
// extension isn't installed.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iostream>

#include "core/base/strings.h"
#include "core/run/temp_folder.h"
#include "core/schema/install.h"
#include "tests/support/cluster.h"
#include "tests/support/scenario.h"

using namespace skytools;
using namespace skytools::test;
namespace fs = std::filesystem;

namespace {

const fs::path kFolder = fs::path(SKYTOOLS_SOURCE_DIR) / "tests/peers";

bool missing() {
  Database db;
  if (db.query("select count(*) from pg_available_extensions where name = 'pgq'") == "1") return false;
  std::cerr << "SKIPPED: postgresql-15-pgq3 is not installed\n";
  return true;
}

std::vector<fs::path> scripts(const std::string& extension) {
  std::vector<fs::path> out;
  for (auto& entry : fs::directory_iterator(kFolder))
    if (entry.path().extension() == extension) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

/// Roles belong to the whole server; scenarios take them from here.
void make_roles() {
  for (auto role : {"plain", "reader", "writer", "admin"})
    query(server().conninfo("postgres"),
          std::string("do $$ begin create role peer_") + role + "; exception when duplicate_object then null; end $$");
}

/// The lines that only one side has; all of them when only their order differs.
std::string both(const std::vector<std::string>& original, const std::vector<std::string>& mine) {
  auto only = [](auto& lines, auto& others) {
    std::vector<std::string> out;
    for (auto& line : lines)
      if (std::find(others.begin(), others.end(), line) == others.end()) out.push_back(line);
    return out;
  };
  auto theirs = only(original, mine), ours = only(mine, original);
  if (theirs.empty() && ours.empty()) theirs = original, ours = mine;
  return "\n  original: " + join(theirs, "\n            ") + "\n  ours:     " + join(ours, "\n            ");
}

/// Runs steps that must not fail.
void prepare(const std::string& conninfo, const char* script) {
  auto steps = read_scenario(kFolder / script);
  auto outcomes = run_scenario(conninfo, steps);
  for (std::size_t i = 0; i < steps.size(); ++i)
    REQUIRE_MESSAGE(outcomes[i].back().find("ERROR") != 0, script << ":" << steps[i].line << " " << outcomes[i].back());
}

void compare(const fs::path& script, const std::string& theirs, const std::string& ours, bool generated = false) {
  auto steps = read_scenario(script);
  REQUIRE(!steps.empty());
  prepare(theirs, "prelude.psql");
  prepare(ours, "prelude.psql");
  if (generated) prepare(ours, "capture.psql");
  auto original = run_scenario(theirs, steps);
  auto mine = run_scenario(ours, steps);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto& step = steps[i];
    const std::string where =
        script.filename().string() + ":" + std::to_string(step.line) + " " + step.session + ": " + step.sql;
    const std::string said = both(original[i], mine[i]);
    if (!step.reason) {
      CHECK_MESSAGE(original[i] == mine[i], where << said);
    } else {
      CHECK_MESSAGE(original[i] != mine[i], "no difference any more: " << where << said);
      CHECK_MESSAGE(mine[i] == step.expected, where << said);
    }
  }
}

void install_ours(const std::string& conninfo) {
  pg::Connection c("ours", conninfo);
  schema::install(c, {.modules = {"pgq"}});
}

}  // namespace

TEST_CASE("what a scenario leaves is told line by line") {
  Database db;
  run::TempFolder folder{{}, "skytools_scenario."};
  auto script = folder.path() / "script.sql";
  std::ofstream(script) << "-- a comment\n"
                           "create table t (i int);\n"
                           "do $$ begin\n  raise notice 'two; %', E'lines\\nhere';\nend $$;\n"
                           "begin;\nlock table t;\n"
                           "--@ b sends\ninsert into t values (1), (null);\n"
                           "--@ a\ncommit;\n"
                           "--@ b receives\n"
                           "--! a reason\n--= 1|x\n--= ~|x\n--= SELECT 2\n"
                           "select i, 'x' from t order by 1;\n"
                           "select 1 / 0;\n";
  auto steps = read_scenario(script);
  REQUIRE(steps.size() == 9);
  CHECK(steps[1].line == 3);
  CHECK(steps[7].session == "b");
  CHECK(steps[7].reason == "a reason");
  CHECK(!steps[8].reason);
  using Lines = std::vector<std::string>;
  auto outcomes = run_scenario(db.conninfo(), steps);
  CHECK(outcomes == std::vector<Lines>{{"CREATE TABLE"},
                                       {"NOTICE: two; lines\\nhere", "DO"},
                                       {"BEGIN"},
                                       {"LOCK TABLE"},
                                       {},
                                       {"COMMIT"},
                                       {"INSERT 0 2"},
                                       steps[7].expected,
                                       {"ERROR 22012: division by zero"}});
  std::ofstream(script) << "select $$ 1;\n";
  CHECK_THROWS_AS(read_scenario(script), Error);
}

TEST_CASE("every scenario of tests/peers has the original's outcome") {
  if (missing()) return;
  make_roles();
  auto all = scripts(".sql");
  REQUIRE(!all.empty());
  for (auto& script : all) {
    Database theirs, ours;
    theirs.query("create extension pgq");
    install_ours(ours.conninfo());
    compare(script, theirs.conninfo(), ours.conninfo());
  }
}

TEST_CASE("the triggers write the same in a LATIN1 database") {
  if (missing()) return;
  make_roles();
  for (auto script : {"trigger_encoding.sql", "trigger_types.sql"}) {
    auto postgres = server().conninfo("postgres");
    for (auto name : {"latin_theirs", "latin_ours"}) {
      query(postgres, std::string("drop database if exists ") + name);
      query(postgres, std::string("create database ") + name +
                          " template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'");
    }
    query(server().conninfo("latin_theirs"), "create extension pgq");
    install_ours(server().conninfo("latin_ours"));
    compare(kFolder / script, server().conninfo("latin_theirs"), server().conninfo("latin_ours"));
  }
}

TEST_CASE("generated capture writes what the original's triggers write") {
  if (missing()) return;
  make_roles();
  Database theirs, ours;
  theirs.query("create extension pgq");
  install_ours(ours.conninfo());
  compare(kFolder / "trigger_types.sql", theirs.conninfo(), ours.conninfo(), true);
}
