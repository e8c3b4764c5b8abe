#include <doctest/doctest.h>

#include <limits>

#include "core/pg/error.h"
#include "core/pg/result.h"

using namespace skytools;

TEST_CASE("parameters are the text the server reads") {
  CHECK(std::string(pg::Param(std::int64_t{-5}).text()) == "-5");
  CHECK(std::string(pg::Param(true).text()) == "t");
  CHECK(std::string(pg::Param(false).text()) == "f");
  CHECK(std::string(pg::Param("x").text()) == "x");
  CHECK(std::string(pg::Param("").text()).empty());
  CHECK(pg::Param(std::nullopt).text() == nullptr);
  CHECK(pg::Param(std::optional<int>()).text() == nullptr);
  CHECK(std::string(pg::Param(std::optional<int>(7)).text()) == "7");
}

TEST_CASE("values are parsed whole or not at all") {
  CHECK(pg::parse<std::int64_t>("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(pg::parse<double>("1.5") == 1.5);
  CHECK(pg::parse<bool>("t"));
  CHECK_FALSE(pg::parse<bool>("f"));
  for (const char* bad : {"", "7x", " 7", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(pg::parse<std::int64_t>(bad), Error);
  }
  CHECK_THROWS_AS(pg::parse<int>("3000000000"), Error);
}

TEST_CASE("an SQL error says where, what and which code, and knows what it means") {
  pg::SqlError e("target db2/dw", "23505", "duplicate key");
  CHECK(std::string(e.what()) == "[target db2/dw] duplicate key (23505)");
  CHECK(std::string(pg::SqlError("target", "", "connection lost").what()) == "[target] connection lost");
  struct Row {
    const char* sqlstate;
    bool lost, retryable;
  };
  for (auto& [sqlstate, lost, retryable] :
       {Row{"", true, true}, Row{"08006", true, true}, Row{"57P01", true, true}, Row{"57P03", true, true},
        Row{"57014", false, false}, Row{"40001", false, true}, Row{"40P01", false, true}, Row{"55P03", false, true},
        Row{"23505", false, false}}) {
    CAPTURE(sqlstate);
    pg::SqlError x("c", sqlstate, "m");
    CHECK(x.connection_lost() == lost);
    CHECK(x.retryable() == retryable);
  }
}
