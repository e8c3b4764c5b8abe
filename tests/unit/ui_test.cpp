#include <doctest/doctest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/ui/progress.h"
#include "core/ui/table.h"
#include "core/ui/terminal.h"

using namespace skytools;
using namespace std::chrono_literals;

namespace {

ui::Table sample() {
  ui::Table table({"Table", "Row count", {"Lag", "lag_seconds"}, "Ok"});
  table.add({"public.täble", 12, 1250ms, true}).add({"b", std::optional<int>(), 0ms, false});
  return table;
}

}  // namespace

TEST_CASE("a table is aligned, numbers to the right, NULL as a dash") {
  std::ostringstream out;
  sample().print(out);
  CHECK(out.str() ==
        "Table         Row count    Lag  Ok\n"
        "public.täble         12  1.25s  yes\n"
        "b                     -     0s  no\n");
}

TEST_CASE("the same rows as JSON: stable keys, numbers stay numbers") {
  std::ostringstream out;
  sample().print_json(out);
  auto rows = nlohmann::json::parse(out.str());
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == nlohmann::json{{"table", "public.täble"}, {"row_count", 12}, {"lag_seconds", 1.25}, {"ok", true}});
  CHECK(rows[1]["row_count"].is_null());
  CHECK(rows[1]["lag_seconds"] == 0);
}

TEST_CASE("an empty table is headings for people and an empty array for machines") {
  std::ostringstream text, json;
  ui::Table table({"A", "B c"});
  table.print(text);
  table.print_json(json);
  CHECK(text.str() == "A  B c\n");
  CHECK(json.str() == "[]\n");
}

TEST_CASE("cells: lists, large numbers, text that would break a line or JSON") {
  CHECK(ui::Cell(std::vector<std::string>{"a", "b"}).text() == "a, b");
  CHECK(ui::Cell(std::vector<std::string>{"a", "b"}).json() == R"(["a", "b"])");
  CHECK(ui::Cell(9007199254740993).json() == "9007199254740993");
  CHECK(ui::Cell(86400000ms).json() == "86400");
  CHECK(ui::Cell("a\nb").text() == "a b");
  CHECK(ui::Cell("a\nb").json() == R"("a\nb")");
  CHECK(nlohmann::json::parse(ui::json_string("bad \xff byte")) == "bad \xef\xbf\xbd byte");
}

TEST_CASE("a row must fit its table") {
  ui::Table table({"A", "B"});
  CHECK_THROWS_AS(table.add({1}), std::logic_error);
}

TEST_CASE("objects keep the order of their members") {
  CHECK(ui::json_object({{"z", 1}, {"a", "x"}, {"n", ui::Cell()}}) == R"({"z": 1, "a": "x", "n": null})");
}

TEST_CASE("JSON inside of JSON, and a line per object for streams") {
  ui::Table inner({"a"});
  CHECK(inner.json().text == "[]");
  inner.add({1}).add({"x\"y"});
  CHECK(inner.json().text == R"([{"a": 1}, {"a": "x\"y"}])");
  ui::Table outer({"name", "rows"});
  outer.add({"t", inner.json()}).add({"u", ui::Json{"{}"}});
  std::ostringstream out;
  outer.print_lines(out);
  CHECK(out.str() ==
        "{\"name\": \"t\", \"rows\": [{\"a\": 1}, {\"a\": \"x\\\"y\"}]}\n{\"name\": \"u\", \"rows\": {}}\n");
  CHECK(ui::Cell().empty());
  CHECK_FALSE(ui::Cell("").empty());
}

TEST_CASE("progress lines: percent, rate and time left") {
  using ui::Progress;
  CHECK(Progress::line("t", 500, 1000, Progress::Unit::rows, 5s) == "t: 50 % of 1000 rows, 100 rows/s, 5s left");
  CHECK(Progress::line("t", 1048576, 0, Progress::Unit::bytes, 1s) == "t: 1.0 MB, 1.0 MB/s");
  CHECK(Progress::line("t", 1500, 1000, Progress::Unit::rows, 1s) == "t: 100 % of 1000 rows, 1500 rows/s");
  CHECK(Progress::line("t", 0, 1000, Progress::Unit::rows, 0ms) == "t: 0 % of 1000 rows, 0 rows/s");
}

TEST_CASE("a short step reports nothing when there is no terminal") {
  if (ui::is_terminal(2)) return;
  int lines = 0;
  {
    ui::Progress progress("t", 10, ui::Progress::Unit::rows, [&](const std::string&) { ++lines; });
    for (int i = 0; i < 10; ++i) progress.advance(1);
  }
  CHECK(lines == 0);
}

TEST_CASE("no colour where nobody sees it") {
  CHECK_FALSE(ui::colour(-1));
  setenv("NO_COLOR", "1", 1);
  CHECK_FALSE(ui::colour(1));
  CHECK(ui::bold("x") == "x");
}
