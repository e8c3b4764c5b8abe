#include <doctest/doctest.h>

#include "core/base/error.h"
#include "core/base/quote.h"
#include "core/base/urlcode.h"

using namespace skytools;

TEST_CASE("identifiers are always quoted") {
  CHECK(quote_ident("a") == "\"a\"");
  CHECK(quote_ident("we\"ird") == "\"we\"\"ird\"");
}

TEST_CASE("literals are right under any standard_conforming_strings") {
  CHECK(quote_literal("it's") == "'it''s'");
  CHECK(quote_literal("a\\b") == "E'a\\\\b'");
  CHECK(quote_literal("") == "''");
}

TEST_CASE("table names split at the first dot, public is implied") {
  CHECK(TableName::parse("t") == TableName{"public", "t"});
  CHECK(TableName::parse("s.a.b") == TableName{"s", "a.b"});
  CHECK(TableName{"public", "Odd Tab"}.sql() == "\"public\".\"Odd Tab\"");
}

TEST_CASE("rows of the logutriga format") {
  auto row = decode_row("Key+A=1&b=x+y&select=&nothing");
  REQUIRE(row.size() == 4);
  CHECK(row[0] == Field{"Key A", "1"});
  CHECK(row[1] == Field{"b", "x y"});
  CHECK(row[2] == Field{"select", ""});
  CHECK(row[3] == Field{"nothing", std::nullopt});
  CHECK(encode_row(row) == "Key+A=1&b=x+y&select=&nothing");
  CHECK(decode_row("").empty());
}

TEST_CASE("escapes are lower case, and all but the plain characters are escaped") {
  CHECK(urlencode("Ü~*(a-b_c.d)'!\n%") == "%c3%9c%7e%2a%28a-b_c.d%29%27%21%0a%25");
  CHECK(decode_row("a=%C3%9c")[0].value == "Ü");
}

TEST_CASE("a bad escape names its offset") {
  CHECK_THROWS_WITH_AS(decode_row("a=%zz"), "bad escape in row data at offset 2", Error);
  CHECK_THROWS_WITH_AS(decode_row("a=1&b=%4"), "bad escape in row data at offset 6", Error);
  CHECK_THROWS_AS(decode_row("a=%4&b=1"), Error);
}
