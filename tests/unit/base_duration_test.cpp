#include <doctest/doctest.h>

#include "core/base/deadline.h"
#include "core/base/duration.h"
#include "core/base/error.h"

using namespace skytools;
using namespace std::chrono_literals;

TEST_CASE("durations take units, alone and together") {
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration("2h30m") == 150min);
  CHECK(parse_duration("1d") == 24h);
  CHECK(parse_duration("0") == 0ms);
}

TEST_CASE("a bare number is in the unit that was asked for") {
  CHECK(parse_duration("5") == 5s);
  CHECK(parse_duration("5", 1ms) == 5ms);
  CHECK(parse_duration("0.25") == 250ms);
}

TEST_CASE("what is no duration names the text") {
  for (const char* text : {"", "s", "5x", "-1s", "5s3", "1e", "soon", "1 s"})
    CHECK_THROWS_WITH_AS(parse_duration(text), ("not a duration: '" + std::string(text) + "'").c_str(), UsageError);
}

TEST_CASE("durations for people") {
  CHECK(format_duration(0ms) == "0s");
  CHECK(format_duration(250ms) == "250ms");
  CHECK(format_duration(2s) == "2s");
  CHECK(format_duration(200s) == "3m20s");
  CHECK(format_duration(125min) == "2h5m");
}

TEST_CASE("sizes are powers of 1024") {
  CHECK(parse_size("100") == 100);
  CHECK(parse_size("64kB") == 65536);
  CHECK(parse_size("1GB") == 1073741824);
  CHECK_THROWS_AS(parse_size("1XB"), UsageError);
  CHECK_THROWS_AS(parse_size(""), UsageError);
  CHECK(format_size(812) == "812 B");
  CHECK(format_size(1258291) == "1.2 MB");
}

TEST_CASE("a deadline passes, the default one never does") {
  CHECK_FALSE(Deadline().passed());
  CHECK(Deadline().left(5s) == 5s);
  Deadline past(0ms);
  CHECK(past.passed());
  CHECK(past.left() == 0ms);
  Deadline far(1h);
  CHECK_FALSE(far.passed());
  CHECK(far.left(10s) == 10s);
}
