#include <doctest/doctest.h>

#include "core/base/error.h"
#include "core/londiste/statements.h"
#include "core/londiste/table.h"

using namespace skytools;
using namespace skytools::londiste;

namespace {

Column column(const std::string& name, const std::string& type, const std::string& array) {
  Column c;
  c.name = name;
  c.type = type;
  c.array_type = array;
  c.exact_text = true;
  return c;
}

TableInfo table() {
  TableInfo t;
  t.name = {"public", "T t"};
  t.columns = {column("id", "pg_catalog.int4", "pg_catalog._int4"),
               column("k\"2", "pg_catalog.text", "pg_catalog._text"), column("v", "pg_catalog._int4", ""),
               column("g", "pg_catalog.int4", "pg_catalog._int4")};
  t.columns[3].generated = true;
  t.primary_key = {"id", "k\"2"};
  return t;
}

const std::vector<std::string> kColumns{"id", "k\"2", "v", "g"}, kKeys{"id", "k\"2"};

}  // namespace

TEST_CASE("statements of one row and of many") {
  TableInfo t = table();
  Shape insert = make_shape(t, RowOp::insert, kColumns, kKeys);
  CHECK(insert.single == R"(insert into "public"."T t" ("id", "k""2", "v") values ($1, $2, $3))");
  CHECK(insert.many ==
        R"(insert into "public"."T t" ("id", "k""2", "v") select u.c1, u.c2, u.c3::pg_catalog._int4)"
        R"( from unnest($1::pg_catalog._int4, $2::pg_catalog._text, $3::pg_catalog.text[]) as u(c1, c2, c3))");
  CHECK(insert.set.size() == 3);
  Shape update = make_shape(t, RowOp::update, kColumns, kKeys);
  CHECK(update.single == R"(update only "public"."T t" set "v" = $1 where "id" = $2 and "k""2" = $3)");
  CHECK(update.set.size() == 1);
  CHECK(update.keys.size() == 2);
  Shape remove = make_shape(t, RowOp::remove, kColumns, kKeys);
  CHECK(remove.single == R"(delete from only "public"."T t" where "id" = $1 and "k""2" = $2)");
  CHECK(remove.set.empty());
  t.partitioned = true;
  CHECK(make_shape(t, RowOp::remove, kColumns, kKeys).single ==
        R"(delete from "public"."T t" where "id" = $1 and "k""2" = $2)");
}

TEST_CASE("identity columns are written as they come, or not at all") {
  TableInfo t = table();
  t.columns[2].identity_always = true;
  CHECK(make_shape(t, RowOp::insert, kColumns, kKeys).single.find("overriding system value") != std::string::npos);
  CHECK(make_shape(t, RowOp::update, kColumns, kKeys).set.empty());
}

TEST_CASE("a column the table does not have is named") {
  CHECK_THROWS_WITH_AS(make_shape(table(), RowOp::insert, {"id", "nope"}, {"id"}),
                       doctest::Contains("has no column nope"), Error);
  CHECK_NOTHROW(make_shape(table(), RowOp::remove, {"id", "nope"}, {"id"}));  // deletes need the key alone
}

TEST_CASE("elements of array literals") {
  std::string a = "{";
  for (auto& value : std::vector<std::optional<std::string>>{"x", std::nullopt, "", "NULL", "a\"b\\c,{}", " y "})
    append_element(a, value);
  CHECK(a + "}" == R"({"x",NULL,"","NULL","a\"b\\c,{}"," y "})");
}

TEST_CASE("folding is for rows found by the primary key whose text is the value") {
  TableInfo t = table();
  CHECK(t.foldable({"id", "k\"2"}));
  CHECK(t.foldable({"k\"2", "id"}));
  CHECK_FALSE(t.foldable({}));
  CHECK_FALSE(t.foldable({"id"}));
  CHECK_FALSE(t.foldable({"id", "v"}));
  t.other_unique = true;
  CHECK_FALSE(t.foldable(kKeys));
  t = table();
  t.row_triggers = true;
  CHECK_FALSE(t.foldable(kKeys));
  t = table();
  t.columns[0].exact_text = false;
  CHECK_FALSE(t.foldable(kKeys));
}

TEST_CASE("states of the initial copy") {
  for (auto* text : {"in-copy", "catching-up", "wanna-sync:17", "do-sync:9223372036854775807", "ok"}) {
    CHECK(MergeState::parse(text).str() == text);
  }
  CHECK(MergeState::parse(std::nullopt).kind == MergeState::wanted);
  CHECK_FALSE(MergeState{}.str().has_value());
  CHECK(MergeState::parse("?").kind == MergeState::ok);
  CHECK(MergeState::parse("wanna-sync:17").tick == 17);
  CHECK_FALSE(MergeState::parse(std::nullopt).copying());
  CHECK_FALSE(MergeState::parse("ok").copying());
  CHECK(MergeState::parse("do-sync:1").copying());
  for (auto* text : {"", "nope", "OK", "wanna-sync:", "wanna-sync:x", "do-sync:1x"})
    CHECK_THROWS_AS(MergeState::parse(text), Error);
}

TEST_CASE("names of a copy's consumer and of attributes of old versions") {
  CHECK(copy_consumer("set_leaf", "public.T t") == "set_leaf.copy.public.T t");
  Table t;
  t.attributes = {{"handlers", "londiste"}, {"copy_node", "x"}};
  CHECK(t.attribute("handler") == "londiste");
  CHECK(t.attribute("copy_node") == "x");
  CHECK(t.attribute("none") == "");
}
