#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/files.h"
#include "tests/support/program.h"

// The real binary, from outside: command words, flags, exit codes, streams.

using namespace skytools;
using test::Output;
using test::run_skytools;
using test::TempFile;

namespace {

const std::string kJob =
    "connections: { shop: \"host=db1 dbname=shop password=hush\" }\n"
    "jobs:\n  t: { type: ticker, databases: [shop] }\n  u: { type: ticker, ticker_period: 2s }\n";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string read(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

/// A usage error: exit 2, one line on stderr, nothing on stdout.
void check_usage_error(const Output& result, const std::string& text) {
  CHECK(result.exit == 2);
  CHECK(result.err == "skytools: " + text + "\n");
  CHECK(result.out.empty());
}

}  // namespace

TEST_CASE("the version") {
  auto result = run_skytools({"--version"});
  CHECK(result.exit == 0);
  CHECK(result.out == "skytools " SKYTOOLS_VERSION "\n");
  CHECK(result.err.empty());
  CHECK(run_skytools({"config", "show", "-V"}).out == result.out);
}

TEST_CASE("help is the same by word and by flag, wherever the flag stands") {
  auto by_word = run_skytools({"help", "config", "show"});
  CHECK(by_word.exit == 0);
  CHECK(by_word.out.starts_with("usage: skytools config show [options]\n"));
  CHECK(run_skytools({"config", "show", "--help"}).out == by_word.out);
  CHECK(run_skytools({"-h", "config", "show"}).out == by_word.out);
  CHECK(run_skytools({"help"}).out == run_skytools({"--help"}).out);
  CHECK(run_skytools({"help", "nonsense"}).exit == 2);
}

TEST_CASE("without a command the help goes to stderr and the exit code says usage") {
  for (std::vector<std::string> words : {std::vector<std::string>{}, {"config"}}) {
    auto result = run_skytools(words);
    CHECK(result.exit == 2);
    CHECK(result.out.empty());
    CHECK(result.err.starts_with("usage: skytools"));
  }
}

TEST_CASE("usage mistakes are one line with a suggestion") {
  check_usage_error(run_skytools({"confg"}), "unknown command 'confg'; did you mean 'config'?");
  check_usage_error(run_skytools({"config", "shw"}), "unknown command 'config shw'; did you mean 'show'?");
  check_usage_error(run_skytools({"config", "show", "--queu", "x"}), "unknown option --queu; did you mean --queue?");
  check_usage_error(run_skytools({"completion"}), "missing argument; usage: skytools completion [options] SHELL");
  auto which = run_skytools({"config", "sample"});
  CHECK(which.exit == 2);
  CHECK(contains(which.err, "skytools: which type? there are "));
  CHECK(contains(which.err, "ticker"));
  check_usage_error(run_skytools({"config", "sample", "ticker", "b"}),
                    "surplus argument 'b'; usage: skytools config sample [options] TYPE");
}

TEST_CASE("options stand before or after the command's words") {
  TempFile file("job.yaml", kJob);
  auto after = run_skytools({"config", "show", "-c", file.path, "-J", "t", "--json"});
  CHECK(after.exit == 0);
  CHECK(run_skytools({"--json", "-c", file.path, "-Jt", "config", "show"}).out == after.out);
  CHECK(run_skytools({"-c", file.path, "config", "--json", "--job=t", "show"}).out == after.out);
}

TEST_CASE("config show tells every value with its origin and masks passwords") {
  TempFile file("job.yaml", kJob);
  auto result =
      run_skytools({"config", "show", "-c", file.path, "-J", "t", "--json"}, {.env = {{"SKYTOOLS_QUEUE", "q"}}});
  auto rows = nlohmann::json::parse(result.out);
  auto row = [&](const std::string& key) {
    for (auto& r : rows)
      if (r["key"] == key) return r;
    return nlohmann::json();
  };
  CHECK(row("databases")["value"] == "host=db1 dbname=shop password=***");
  CHECK(row("databases")["origin"] == file.path + ":3");
  CHECK(row("queue")["origin"] == "env SKYTOOLS_QUEUE");
  CHECK(row("log.level")["origin"] == "built-in");
  CHECK(row("json").is_null());
  CHECK_FALSE(contains(result.out, "hush"));
}

TEST_CASE("config check reads every job") {
  TempFile good("job.yaml", kJob);
  auto result = run_skytools({"config", "check", good.path});
  CHECK(result.exit == 0);
  CHECK(contains(result.out, "\nt    ticker         1\n"));
  TempFile unknown("job.yaml", kJob + "  v: { type: ticker, ticker_perod: 1s }\n");
  check_usage_error(run_skytools({"config", "check", unknown.path}),
                    unknown.path + ":5: unknown key 'ticker_perod'; did you mean 'ticker_period'?");
  TempFile unfit("job.yaml", kJob + "  v: { type: ticker, ticker_period: soon }\n");
  check_usage_error(run_skytools({"config", "check", unfit.path}),
                    unfit.path + ":5: ticker_period: not a duration: 'soon'");
  CHECK(run_skytools({"config", "check"}).exit == 2);
}

TEST_CASE("config convert writes YAML that reads back, and warns about what is lost") {
  TempFile old("old.ini", "[pgqd]\nbase_connstr = host=/tmp\ndatabase_list = a, b\nsyslog = 0\n");
  auto result = run_skytools({"config", "convert", old.path});
  CHECK(result.exit == 0);
  CHECK(contains(result.err, "'syslog' has no effect here"));
  TempFile yaml("new.yaml", result.out);
  CHECK(run_skytools({"config", "check", yaml.path}).exit == 0);
}

TEST_CASE("the samples in config/ are what the tables say") {
  int samples = 0;
  for (auto& entry : std::filesystem::directory_iterator(std::filesystem::path(SKYTOOLS_SOURCE_DIR) / "config")) {
    std::string type = entry.path().stem();
    INFO("skytools config sample " << type << " > config/" << type << ".yaml");
    auto result = run_skytools({"config", "sample", type});
    CHECK(result.exit == 0);
    CHECK(result.out == read(entry.path()));
    ++samples;
  }
  CHECK(samples >= 2);
}

TEST_CASE("with --json an error is one object on stdout, too") {
  auto result = run_skytools({"config", "sample", "nonsense", "--json"});
  CHECK(result.exit == 2);
  auto error = nlohmann::json::parse(result.out)["error"];
  CHECK(error["exit"] == 2);
  CHECK(contains(error["message"], "unknown job type 'nonsense'"));
  CHECK_FALSE(error.contains("sqlstate"));
  CHECK(nlohmann::json::parse(run_skytools({"nonsense", "--json"}).out)["error"]["exit"] == 2);
}

TEST_CASE("-q keeps data, -qq keeps nothing but the exit code") {
  CHECK(run_skytools({"config", "sample", "ticker", "-q"}).out == run_skytools({"config", "sample", "ticker"}).out);
  auto nothing = run_skytools({"config", "sample", "ticker", "-qq"});
  CHECK(nothing.exit == 0);
  CHECK(nothing.out + nothing.err == "");
  auto failed = run_skytools({"-q", "config", "sample", "nonsense", "--quiet"});
  CHECK(failed.exit == 2);
  CHECK(failed.out + failed.err == "");
  CHECK(contains(run_skytools({"config", "sample", "nonsense", "-q"}).err, "unknown job type"));
}

TEST_CASE("output that cannot be written is an error") {
  auto result = test::run_program({"/bin/sh", "-c", SKYTOOLS_BINARY " config sample ticker > /dev/full"});
  CHECK(result.exit == 1);
  CHECK(contains(result.err, "cannot write to stdout"));
}

TEST_CASE("man writes a page for the program and one for each noun") {
  TempFile anchor("x", "");
  auto folder = std::filesystem::path(anchor.path).parent_path() / "man";
  CHECK(run_skytools({"man", "--dir", folder}).exit == 0);
  CHECK(contains(read(folder / "skytools.1"), ".SH \"GLOBAL OPTIONS\""));
  CHECK(contains(read(folder / "skytools-config.1"), "skytools config sample TYPE"));
  CHECK(read(folder / "skytools-config.1") == run_skytools({"man", "config"}).out);
}

TEST_CASE("an unreachable database is exit code 4, and its password stays hidden") {
  auto result = run_skytools({"ticker", "--once", "--db", "host=/nonexistent dbname=x password=hush", "--json"});
  CHECK(result.exit == 4);
  auto error = nlohmann::json::parse(result.out)["error"];
  CHECK(error["exit"] == 4);
  CHECK_FALSE(contains(result.out + result.err, "hush"));
}
