#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/consumer/event_json.h"
#include "core/consumer/loop.h"
#include "core/consumer/move_sink.h"
#include "core/consumer/position.h"
#include "core/consumer/position_file.h"
#include "core/consumer/statement.h"
#include "core/pg/text.h"
#include "tests/support/files.h"

using namespace skytools;
using namespace skytools::consumer;

TEST_CASE("parameters in use are numbered anew") {
  struct Case {
    const char *text, *sql;
    std::vector<int> columns;
  };
  for (auto& c :
       {Case{"select f($1)", "select f($1)", {1}}, Case{"select $3, $1, $3", "select $1, $2, $1", {3, 1}},
        Case{"select 1", "select 1", {}}, Case{"select $9::jsonb", "select $1::jsonb", {9}},
        Case{"select '$2', \"$3\", $4", "select '$2', \"$3\", $1", {4}},
        Case{"select 'it''s $2', $1", "select 'it''s $2', $1", {1}},
        Case{"select E'\\'$2', $5", "select E'\\'$2', $1", {5}}, Case{"select '\\', $5", "select '\\', $1", {5}},
        Case{"select $$ $2 $$, $t$ $$ $3 $t$, $4", "select $$ $2 $$, $t$ $$ $3 $t$, $1", {4}},
        Case{"select a$1, $2", "select a$1, $1", {2}},
        Case{"-- $3\nselect /* $4 /* $5 */ $6 */ $7", "-- $3\nselect /* $4 /* $5 */ $6 */ $1", {7}},
        Case{"select 'open $2", "select 'open $2", {}}, Case{"select 1 -- $2", "select 1 -- $2", {}}}) {
    CAPTURE(c.text);
    auto statement = Statement::parse(c.text);
    CHECK(statement.sql == c.sql);
    CHECK(statement.columns == c.columns);
  }
  for (const char* bad : {"select $0", "select $10", "select $12345678901234567890"})
    CHECK_THROWS_AS(Statement::parse(bad), UsageError);
}

TEST_CASE("an event as JSON") {
  EventJson json("q \"x\"", "c");
  pgq::Batch batch;
  batch.id = 3, batch.tick = 5;
  json.set_batch(batch);
  pgq::Event e;
  e.id = 7, e.time = "2026-01-02 03:04:05.678+05:30", e.retry = 2, e.type = "t\x01", e.data = "a\xff\"b";
  e.extra[1] = "";
  std::string text;
  json.append(e, text);
  CHECK(text.ends_with("}\n"));
  auto read = nlohmann::json::parse(text);
  CHECK(read["queue"] == "q \"x\"");
  CHECK(read["txid"].is_null());
  CHECK(read["retry"] == 2);
  CHECK(read["type"] == "t\x01");
  CHECK(read["data"] == "a\xef\xbf\xbd\"b");
  CHECK(read["extra1"].is_null());
  CHECK(read["extra2"] == "");
  CHECK(read["batch"] == 3);
  CHECK(read["tick"] == 5);
  CHECK(read.size() == 14);
}

TEST_CASE("times become ISO 8601") {
  CHECK(pgq::iso_time("2026-01-02 03:04:05+00") == "2026-01-02T03:04:05+00:00");
  CHECK(pgq::iso_time("2026-01-02 03:04:05.123456-07") == "2026-01-02T03:04:05.123456-07:00");
  CHECK(pgq::iso_time("2026-01-02 03:04:05+05:30") == "2026-01-02T03:04:05+05:30");
  CHECK(pgq::iso_time("infinity") == "infinity");
}

TEST_CASE("table filters and arrays are quoted") {
  CHECK(table_condition({}) == "");
  CHECK(table_condition({"a", "s.o'x"}) == "ev_extra1 in ('public.a', 's.o''x')");
  CHECK(pg::array_text({}) == "{}");
  CHECK(pg::array_text({"1", std::nullopt, "a\"b\\c", "NULL", ""}) == "{\"1\",NULL,\"a\\\"b\\\\c\",\"NULL\",\"\"}");
}

TEST_CASE("a kept tick decides about a batch") {
  pgq::Batch batch;
  batch.tick = 5, batch.prev_tick = 4;
  CHECK(step_of(batch, std::nullopt, "x") == Step::apply);
  CHECK(step_of(batch, 4, "x") == Step::apply);
  CHECK(step_of(batch, 5, "x") == Step::skip);
  for (int lost : {3, 6})
    CHECK_THROWS_WITH(step_of(batch, lost, "the file"),
                      doctest::Contains("lost position: batch 4..5, but the file has tick"));
}

TEST_CASE("fields to split by") {
  CHECK(route_column("extra1") == pgq::EventStream::kExtra1);
  CHECK(route_column("type") == pgq::EventStream::kType);
  CHECK_THROWS_AS(route_column("id"), UsageError);
}

TEST_CASE("a position file is written, read, removed") {
  test::TempFile other("other", "");
  PositionFile file(other.path + ".pos");
  CHECK(file.read() == std::nullopt);
  file.write(41);
  file.write(42);
  CHECK(file.read() == 42);
  file.remove();
  file.remove();
  CHECK(file.read() == std::nullopt);
  CHECK(PositionFile(other.path).read() == std::nullopt);  // empty
  CHECK_THROWS_AS(PositionFile("/no/such/folder/pos"), Error);
  for (const char* bad : {"x", "1 2", "0", "-3", "99999999999999999999"}) {
    test::TempFile wrong("pos", bad);
    CHECK_THROWS_WITH(PositionFile(wrong.path).read(), doctest::Contains("does not hold a tick id"));
  }
  test::TempFile spaced("pos", " 17 \n");
  CHECK(PositionFile(spaced.path).read() == 17);
}
