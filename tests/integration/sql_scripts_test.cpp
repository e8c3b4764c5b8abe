// Runs every tests/sql/**/NAME.sql with psql in a database of its own that has all modules. A script passes when no
// statement fails; it raises an exception (or ASSERT) where it finds something wrong. Each statement is its own
// transaction.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "core/run/throwaway.h"
#include "core/schema/install.h"
#include "tests/support/cluster.h"

using namespace skytools;

namespace {

const std::filesystem::path kFolder = std::filesystem::path(SKYTOOLS_SOURCE_DIR) / "tests/sql";

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> out;
  for (auto& entry : std::filesystem::recursive_directory_iterator(kFolder))
    if (entry.path().extension() == ".sql") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

/// @return what psql said, "" when all went well
std::string run_script(const std::string& conninfo, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {(run::server_binaries() / "psql").string(), "-X", "-q", "-v", "ON_ERROR_STOP=1"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  argv.push_back(conninfo);
  auto done = test::run_program(argv, {.env = {{"PGOPTIONS", "-c client_min_messages=warning"}}, .folder = kFolder});
  if (done.exit == 0) return "";
  return done.err.empty() ? "exit code " + std::to_string(done.exit) : done.err;
}

void install_all(const std::string& conninfo) {
  pg::Connection c("db", conninfo);
  schema::install(c, {});
}

}  // namespace

TEST_CASE("a failing script is noticed") {
  test::Database db;
  CHECK(run_script(db.conninfo(), {"-c", "select 1"}) == "");
  CHECK(run_script(db.conninfo(), {"-c", "do $$ begin assert false, 'as it must'; end $$"}).find("as it must") !=
        std::string::npos);
  CHECK(run_script(db.conninfo(), {"-f", "no_such_file.sql"}) != "");
}

TEST_CASE("every script of tests/sql") {
  auto all = scripts();
  REQUIRE(!all.empty());
  install_all(test::server().conninfo("template1"));  // new databases are its copies
  for (auto& script : all) {
    test::Database db;
    const std::string name = std::filesystem::relative(script, kFolder).string();
    std::string said = run_script(db.conninfo(), {"-f", name});
    CHECK_MESSAGE(said == "", name << ": " << said);
  }
}
