// The completion scripts, run by the shells themselves.
#include <doctest/doctest.h>

#include <filesystem>
#include <iostream>
#include <set>
#include <sstream>

#include "tests/support/files.h"
#include "tests/support/program.h"

using namespace skytools;

namespace {

std::string script(const std::string& shell) {
  auto printed = test::run_skytools({"completion", shell});
  REQUIRE(printed.exit == 0);
  return printed.out;
}

/// What bash offers for the words; the last one is being typed.
std::set<std::string> offered(const std::vector<std::string>& words) {
  static const std::string text = script("bash");
  std::string line;
  for (auto& word : words) line += " '" + word + "'";
  test::TempFile file("complete.sh", text + "COMP_WORDS=(" + line +
                                         ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) +
                                         "\n_skytools\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
  auto done = test::run_program({"/bin/bash", "--norc", "-u", file.path});
  REQUIRE_MESSAGE(done.err == "", done.err);
  std::set<std::string> out;
  std::istringstream lines(done.out);
  for (std::string l; std::getline(lines, l);)
    if (!l.empty()) out.insert(l);
  return out;
}

}  // namespace

TEST_CASE("bash offers commands, options and values") {
  CHECK(offered({"skytools", "tic"}) == std::set<std::string>{"ticker"});
  CHECK(offered({"skytools", "londiste", "add-t"}) == std::set<std::string>{"add-table"});
  CHECK(offered({"skytools", "londiste", "add-table", "--create"}).contains("--create"));
  // options and their values don't hide the command, nor are they taken for one
  CHECK(offered({"skytools", "--db", "londiste", "-q", "londiste", "add-t"}) == std::set<std::string>{"add-table"});
  CHECK(offered({"skytools", "ticker", "--max-l"}) == std::set<std::string>{"--max-lag"});
  CHECK(offered({"skytools", "--log-format", ""}) == std::set<std::string>{"text", "logfmt", "json"});
  CHECK(offered({"skytools", "--queue", ""}).empty());
  CHECK(offered({"skytools", "--config", "/etc/pass"}).contains("/etc/passwd"));
  CHECK(offered({"skytools", "londiste", "worker", "--on"}).contains("--once"));
}

TEST_CASE("every shell that is here can read its script") {
  for (std::string shell : {"bash", "zsh", "fish"}) {
    std::string program = "/usr/bin/" + shell;
    if (!std::filesystem::exists(program)) {
      std::cerr << "SKIPPED: " << shell << " is not here\n";
      continue;
    }
    test::TempFile file("script", script(shell));
    auto done = test::run_program({program, "-n", file.path});
    CHECK_MESSAGE(done.exit == 0, done.err);
  }
}

TEST_CASE("an unknown shell is a usage error") {
  auto done = test::run_skytools({"completion", "tcsh"});
  CHECK(done.exit == 2);
  CHECK(done.err == "skytools: no completion for shell 'tcsh'; there is bash, zsh, fish\n");
}
