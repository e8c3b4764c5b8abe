#include <doctest/doctest.h>

#include "core/base/error.h"
#include "core/londiste/decode.h"
#include "core/londiste/handler.h"

using namespace skytools;
using namespace skytools::londiste;

namespace {

pgq::Event event(const std::string& type, const std::string& data, const std::string& table = "public.t") {
  pgq::Event e;
  e.id = 42;
  e.txid = 7;
  e.type = type;
  e.data = data;
  e.extra[0] = table;
  return e;
}

RowChange row_of(const std::string& type, const std::string& data) {
  auto change = decode_change(event(type, data));
  REQUIRE(change.has_value());
  return std::get<RowChange>(*change);
}

using Fields = std::vector<Field>;
using Keys = std::vector<std::string>;

Table table(const std::string& attributes) {
  Table t;
  t.name = "public.t";
  t.dest = {"other", "dest"};
  for (auto& field : decode_row(attributes)) t.attributes[field.name] = field.value.value_or("");
  return t;
}

}  // namespace

TEST_CASE("which events are data") {
  for (auto* type : {"I", "U", "D", "R", "I:", "I:id", "U:a,b", "D:id", "{\"op\":\"INSERT\"}"})
    CHECK(is_data_event(event(type, "")));
  for (auto* type : {"", "X", "X:id", "R:", "II", "Insert", "EXECUTE", "londiste.add-table", "pgq.tick-id", "i:id"})
    CHECK_FALSE(is_data_event(event(type, "")));
}

TEST_CASE("the table of an event") {
  CHECK(event_table(event("I", "", "a.b")) == "a.b");
  CHECK(event_table(event("I", "", "b")) == "public.b");
  CHECK(event_table(event("I", "", "a.b.c")) == "a.b.c");
}

TEST_CASE("url-encoded rows") {
  RowChange c = row_of("I:id,Key A", "id=1&Key+A=x%2C&v=a+b%26%3d%25%c3%a9%0A&n&e=");
  CHECK(c.op == RowOp::insert);
  CHECK(c.keys == Keys{"id", "Key A"});
  CHECK(c.row == Fields{{"id", "1"}, {"Key A", "x,"}, {"v", "a b&=%\xc3\xa9\n"}, {"n", std::nullopt}, {"e", ""}});
  CHECK(row_of("U:id", "id=1&v=2").op == RowOp::update);
  CHECK(row_of("D:id", "id=1&v=2").op == RowOp::remove);
  CHECK(row_of("D:id", "id=1").keys == Keys{"id"});
  CHECK(row_of("I:", "v=1").keys.empty());
  CHECK(row_of("I: k ", "+k+=1").keys == Keys{" k "});  // blanks belong to the name
  CHECK(row_of("I:id", "").row.empty());
}

TEST_CASE("updates of nothing but the key do nothing") {
  CHECK_FALSE(decode_change(event("U:id", "id=1")).has_value());
  CHECK_FALSE(decode_change(event("U:a,b", "a=1&b=2")).has_value());
  CHECK_FALSE(decode_change(event(R"({"op":"UPDATE","pkey":["id"]})", R"({"id":1})")).has_value());
}

TEST_CASE("JSON rows") {
  RowChange c = row_of(R"({"op":"UPDATE","table":["public","t"],"pkey":["id"]})",
                       R"({"id":9223372036854775807,"b":true,"c":false,"n":null,"s":"a\"é\n","big":"1.50","e":""})");
  CHECK(c.op == RowOp::update);
  CHECK(c.keys == Keys{"id"});
  CHECK(c.row == Fields{{"id", "9223372036854775807"},
                        {"b", "t"},
                        {"c", "f"},
                        {"n", std::nullopt},
                        {"s", "a\"\xc3\xa9\n"},
                        {"big", "1.50"},
                        {"e", ""}});
  CHECK(row_of(R"({"op":"DELETE","pkey":["id"]})", R"({"id":-1})").row[0].value == "-1");
  CHECK(row_of(R"({"op":"INSERT"})", R"({"z":1,"a":2})").row[0].name == "z");  // the order is the table's
  CHECK(std::holds_alternative<Truncate>(*decode_change(event(R"({"op":"TRUNCATE"})", ""))));
  CHECK(std::holds_alternative<Truncate>(*decode_change(event("R", ""))));
}

TEST_CASE("written SQL") {
  auto sql = std::get<PartialSql>(*decode_change(event("U", "v='2' where id='1'")));
  CHECK(sql.op == RowOp::update);
  CHECK(sql.text == "v='2' where id='1'");
  CHECK(std::get<PartialSql>(*decode_change(event("I", "(id) values ('1')"))).op == RowOp::insert);
  CHECK(std::get<PartialSql>(*decode_change(event("D", "id='1'"))).op == RowOp::remove);
}

TEST_CASE("what is malformed is an error, which names the event where it can") {
  struct Bad {
    const char *type, *data, *message;
  };
  const Bad bad[] = {
      {"I:id", "id=%", "bad escape"},
      {"I:id", "id=%4", "bad escape"},
      {"I:id", "id=%zz", "bad escape"},
      {"U:", "id=1&v=2", "no key columns"},
      {"D:", "id=1", "no key columns"},
      {"U:id", "v=2", "key column id is not in the data"},
      {"D:a,b", "a=1", "key column b is not in the data"},
      {"{", "{}", "bad JSON in the type"},
      {"{}", "{}", "bad JSON in the type"},
      {R"({"op":1})", "{}", "bad JSON in the type"},
      {R"({"op":"INSERT"})", "", "bad JSON in the data"},
      {R"({"op":"INSERT"})", "[1]", "bad JSON in the data"},
      {R"({"op":"INSERT"})", "{\"a\":", "bad JSON in the data"},
      {R"({"op":"MERGE"})", "{}", "unknown operation MERGE"},
      {R"({"op":"UPDATE","pkey":[]})", R"({"a":1})", "no key columns"},
      {R"({"op":"UPDATE","pkey":"id"})", R"({"id":1,"v":2})", "42"},
      {R"({"op":"UPDATE","pkey":[1]})", R"({"id":1,"v":2})", "42"},
      {R"({"op":"UPDATE","pkey":null})", R"({"id":1,"v":2})", "42"},
  };
  for (auto& b : bad) {
    CAPTURE(b.type);
    CAPTURE(b.data);
    try {
      decode_change(event(b.type, b.data));
      FAIL_CHECK("no error");
    } catch (const Error& e) {
      std::string text = e.what();
      INFO(text);
      CHECK(text.find(b.message) != std::string::npos);
      CHECK(text.find("42") != std::string::npos);
    }
  }
}

TEST_CASE("the plain handler sends every change to the destination") {
  auto handler = make_handler(table(""));
  ApplyPlan plan;
  handler->plan(event("I:id", "id=1"), plan);
  handler->plan(event("U:id", "id=1"), plan);  // nothing to do
  handler->plan(event("R", ""), plan);
  REQUIRE(plan.size() == 2);
  CHECK(plan[0].table == TableName{"other", "dest"});
  CHECK(plan[0].event_id == 42);
  CHECK(plan[0].txid == 7);
  CHECK(std::holds_alternative<Truncate>(plan[1].change));
}

TEST_CASE("handler attributes") {
  for (auto* attributes :
       {"handler=londiste", "handlers=londiste", "handler=londiste()", "handler=londiste%28encoding%3dutf8%29"})
    CHECK_NOTHROW(make_handler(table(attributes)));
  auto handler = make_handler(table("handler=londiste%28encoding%3dutf8%2cignore_truncate%3d1%29"));
  ApplyPlan plan;
  handler->plan(event("R", ""), plan);
  CHECK(plan.empty());
  CHECK_THROWS_WITH_AS(make_handler(table("handler=no_such")), doctest::Contains("handler 'no_such'"), Error);
  CHECK_THROWS_WITH_AS(make_handler(table("handler=londiste%28x%3d1%29")), doctest::Contains("no argument 'x'"), Error);
}
