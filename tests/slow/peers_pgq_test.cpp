// The same scenarios against the original's PgQ, as Debian packages the extension, and against our schema: every
// statement of tests/peers/*.sql must leave the same rows, notices and errors. What we do otherwise on purpose is
// marked in the scripts with its reason and our outcome, and is checked to differ indeed. Skipped with a line when the
// extension isn't installed.
#include <doctest/doctest.h>

#include <algorithm>
#include <iostream>

#include "core/base/strings.h"
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

void compare(const fs::path& script, const std::string& theirs, const std::string& ours) {
  auto steps = read_scenario(script);
  auto prelude = read_scenario(kFolder / "prelude.psql");
  REQUIRE(!steps.empty());
  auto number = prelude.size();
  prelude.insert(prelude.end(), steps.begin(), steps.end());
  auto original = run_scenario(theirs, prelude);
  auto mine = run_scenario(ours, prelude);
  for (std::size_t i = 0; i < number; ++i) CHECK_MESSAGE(original[i] == mine[i], prelude[i].sql);
  for (std::size_t i = number; i < prelude.size(); ++i) {
    auto& step = prelude[i];
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
