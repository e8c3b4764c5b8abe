#include "core/log/log.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>
#include <thread>

#include "core/base/error.h"
#include "core/log/encode.h"

using namespace skytools;

namespace {

/// A log file of its own for a case.
struct LogFile {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("log_test." + std::to_string(getpid()));
  LogFile() { std::filesystem::remove(path); }
  ~LogFile() { std::filesystem::remove(path); }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
};

bool matches(const std::string& text, const char* pattern) { return std::regex_match(text, std::regex(pattern)); }

}  // namespace

TEST_CASE("before init warnings go to stderr as text, the rest nowhere") {
  std::ostringstream caught;
  auto* before = std::cerr.rdbuf(caught.rdbuf());
  log::info("not shown");
  log::warning("shown", {{"n", 1}});
  std::cerr.rdbuf(before);
  CHECK(matches(caught.str(), R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} warning shown n=1\n)"));
}

TEST_CASE("text lines") {
  LogFile file;
  log::init({.least = log::Level::debug, .file = file.path});
  log::info("batch done", {{"queue", "my queue"}, {"events", 42}});
  log::trace("not shown");
  log::debug("two\nlines");
  CHECK(matches(file.text(),
                "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} info  batch done queue=\"my queue\" events=42\n"
                ".{23} debug two\\\\nlines\n"));
}

TEST_CASE("logfmt lines") {
  LogFile file;
  log::init({.format = log::Format::logfmt, .file = file.path});
  log::error("bad thing", {{"why", "a \"b\" = \\"}, {"empty", ""}});
  CHECK(matches(
      file.text(),
      R"(ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=error msg="bad thing" why="a \\"b\\" = \\\\" empty=""\n)"));
}

TEST_CASE("JSON lines keep numbers and survive bytes that are no UTF-8") {
  LogFile file;
  log::init({.format = log::Format::json, .file = file.path});
  log::warning("a \xff b", {{"n", 7}, {"s", "7"}, {"u", "Ü"}});
  CHECK(matches(
      file.text(),
      "\\{\"ts\":\"[^\"]+Z\",\"level\":\"warning\",\"msg\":\"a \xef\xbf\xbd b\",\"n\":7,\"s\":\"7\",\"u\":\"Ü\"\\}\n"));
}

TEST_CASE("levels decide, and none silences errors") {
  LogFile file;
  log::init({.least = log::Level::warning, .file = file.path});
  CHECK(log::enabled(log::Level::error));
  CHECK_FALSE(log::enabled(log::Level::info));
  log::init({.least = log::Level::none, .file = file.path});
  log::error("not shown");
  CHECK_FALSE(log::enabled(log::Level::error));
  CHECK(file.text().empty());
}

TEST_CASE("after rotation reopen writes into a new file of the same name") {
  LogFile file;
  log::init({.file = file.path});
  log::info("one");
  std::filesystem::path rotated = file.path.string() + ".1";
  std::filesystem::rename(file.path, rotated);
  log::reopen();
  log::info("two");
  CHECK(file.text().find("two") != std::string::npos);
  CHECK(file.text().find("one") == std::string::npos);
  std::filesystem::remove(rotated);
}

TEST_CASE("a file that cannot be opened is an error and the old sink stays") {
  LogFile file;
  log::init({.file = file.path});
  CHECK_THROWS_AS(log::init({.file = "/nonexistent/folder/x.log"}), Error);
  log::info("still here");
  CHECK(file.text().find("still here") != std::string::npos);
}

TEST_CASE("lines of several threads don't mix") {
  LogFile file;
  log::init({.file = file.path});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i) log::info("line", {{"text", std::string(50, 'x')}});
    });
  for (auto& thread : threads) thread.join();
  std::istringstream lines(file.text());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    CHECK(line.ends_with(" info  line text=" + std::string(50, 'x')));
  CHECK(count == 400);
}

TEST_CASE("JSON strings") {
  CHECK(log::json_quote("a\"b\\c\n\x01") == R"("a\"b\\c\n\u0001")");
  CHECK(log::json_quote("\xf0\x9f\x90\x98") == "\"\xf0\x9f\x90\x98\"");
  CHECK(log::json_quote("\xc0\xaf") == "\"\xef\xbf\xbd\xef\xbf\xbd\"");                  // overlong
  CHECK(log::json_quote("\xed\xa0\x80") == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");  // surrogate
  CHECK(log::json_quote("a\xc3") == "\"a\xef\xbf\xbd\"");                                // cut off
}
