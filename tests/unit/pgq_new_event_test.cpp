#include <doctest/doctest.h>

#include "core/base/error.h"
#include "core/pgq/event_file.h"
#include "core/pgq/parameters.h"

using namespace skytools;
using pgq::NewEvent;

namespace {

/// What an action complains about; "" when it is content.
template <class F>
std::string complaint(F&& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

/// The text in pieces of that many bytes, as a pipe might give it.
pgq::ByteSource pieces(std::string text, std::size_t size) {
  return [text, size, at = std::size_t(0)](char* buffer, std::size_t room) mutable {
    std::size_t n = std::min({size, room, text.size() - at});
    text.copy(buffer, n, at);
    at += n;
    return n;
  };
}

/// An event as "type|data|extra1", NULL as "-".
std::string shown(const NewEvent& e) {
  return e.type.value_or("-") + "|" + e.data.value_or("-") + "|" + e.extra[0].value_or("-");
}

/// All events of a file whatever the size of the pieces, one per line.
std::string read_all(std::unique_ptr<pgq::EventFile> (*open)(pgq::ByteSource), const std::string& text) {
  std::string first;
  for (std::size_t size : {std::size_t(1), std::size_t(2), std::size_t(7), std::size_t(1) << 20}) {
    std::string all;
    auto file = open(pieces(text, size));
    while (auto event = file->next()) all += shown(*event) + "\n";
    if (size == 1)
      first = all;
    else
      CHECK(all == first);
  }
  return first;
}

std::string csv(const std::string& text) { return read_all(pgq::csv_file, text); }
std::string jsonl(const std::string& text) { return read_all(pgq::jsonl_file, text); }
std::string data(const std::string& value) {
  return pgq::parse_json_event("{\"data\": " + value + "}").data.value_or("NULL");
}

}  // namespace

TEST_CASE("JSON strings are taken as they are, null is NULL, keys are optional") {
  NewEvent e = pgq::parse_json_event(R"({"type":"t","data":"ü\n\"x\"","extra1":null,"extra4":""})");
  CHECK(e.type == "t");
  CHECK(e.data == "ü\n\"x\"");
  CHECK_FALSE(e.extra[0]);
  CHECK(e.extra[3] == "");
  CHECK(shown(pgq::parse_json_event("{}")) == "-|-|-");
  CHECK(shown(pgq::parse_json_event(R"({"id":7,"time":{"a":[1]},"queue":"q","batch":3,"data":"x"})")) == "-|x|-");
}

TEST_CASE("other JSON values are kept as JSON, numbers digit by digit") {
  CHECK(data("true") == "true");
  CHECK(data("-7") == "-7");
  CHECK(data("1.50") == "1.50");
  CHECK(data("123456789012345678901234567890") == "123456789012345678901234567890");
  CHECK(data("null") == "NULL");
  CHECK(data("[]") == "[]");
  CHECK(data("{}") == "{}");
  CHECK(data(R"( { "a" : [ 1.0 , "x\"y" , { } , [ null , false ] ] , "b" : 2 } )") ==
        R"({"a":[1.0,"x\"y",{},[null,false]],"b":2})");
  // what is nested may be called as it likes, and twice
  CHECK(data(R"({"typ": 1, "typ": 2})") == R"({"typ":1,"typ":2})");
}

TEST_CASE("bad JSON events say what is wrong") {
  auto parse = [](const char* text) { return complaint([&] { pgq::parse_json_event(text); }); };
  CHECK(parse("[1]") == "not a JSON object");
  CHECK(parse("7") == "not a JSON object");
  CHECK(parse(R"({"typ": 1})") == "unknown field 'typ'; did you mean 'type'?");
  CHECK(parse(R"({"payload": 1})") == "unknown field 'payload'; an event has type, data, extra1 to extra4");
  CHECK(parse(R"({"type": 1, "type": 2})") == "key 'type' is given twice");
  CHECK(parse(R"({"data": "a\u0000b"})") == "a text cannot hold a zero byte");
  CHECK(parse(R"({"data": )").starts_with("not JSON at byte 10"));
  CHECK(parse(R"({} {})").starts_with("not JSON at byte 4"));
  CHECK(parse("{\"data\": \"\xff\"}").starts_with("not JSON at byte"));
}

TEST_CASE("lines of JSON") {
  CHECK(jsonl("") == "");
  CHECK(jsonl("\n  \n") == "");
  CHECK(jsonl("{\"type\":\"a\"}\r\n\n{\"type\":\"b\"}") == "a|-|-\nb|-|-\n");
  CHECK(jsonl("\xef\xbb\xbf{\"type\":\"a\"}\n") == "a|-|-\n");
  CHECK(complaint([] { jsonl("{}\n\n{\"x\n"); }).starts_with("line 3: not JSON"));
}

TEST_CASE("CSV: quotes, line ends, NULL and the empty text") {
  CHECK(csv("type,data\na,b\n") == "a|b|-\n");
  CHECK(csv("type,data\r\na,b") == "a|b|-\n");
  CHECK(csv("\xef\xbb\xbf\"extra1\",type\nx,t\n") == "t|-|x\n");
  CHECK(csv("data\n\"a,\"\"b\"\"\r\nc\"\n") == "-|a,\"b\"\r\nc|-\n");
  CHECK(csv("type,data\n,\"\"\n") == "-||-\n");
  CHECK(csv("type,data\n\n\r\na,b\n\n") == "a|b|-\n");
  CHECK(csv("type,data\n a , b c \n") == " a | b c |-\n");
  CHECK(csv("id,type,time\n7,t,now\n") == "t|-|-\n");
  CHECK(csv("type\n") == "");
}

TEST_CASE("bad CSV is told with the line its record begins in") {
  auto read = [](const std::string& text) { return complaint([&] { csv(text); }); };
  CHECK(read("") == "the first line must name the fields: type, data, extra1 to extra4");
  CHECK(read("type,dta\n") == "line 1: unknown field 'dta'; did you mean 'data'?");
  CHECK(read("type,type\n") == "line 1: field 'type' is named twice");
  CHECK(read("type,\n").starts_with("line 1: unknown field ''"));
  CHECK(read("type,data\na\n") == "line 2: 1 fields, the first line names 2");
  CHECK(read("type,data\n\"a\n\n\",b,c\n") == "line 2: 3 fields, the first line names 2");
  CHECK(read("type\na\n\"b\n\n") == "line 3: a quoted field has no end");
  CHECK(read("type\na\"b\n") == "line 2: a quote inside a field that does not begin with one");
  CHECK(read("type\n\"a\"b\n") == "line 2: text behind the closing quote of a field");
  CHECK(read("type\na\rb\n") == "line 2: a carriage return outside quotes that ends no line");
  CHECK(read(std::string("type\na\0b\n", 9)) == "line 2: a text cannot hold a zero byte");
}

TEST_CASE("text the server would not take") {
  for (const char* good : {"", "plain", "ü€😀", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
    CHECK_NOTHROW(pgq::check_text(good));
  for (const char* bad : {"\xff", "\xc3", "a\xe2\x82", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf0\x80\x80\x80", "\xc3(", "\x80"})
    CHECK_THROWS_AS(pgq::check_text(bad), Error);
}

TEST_CASE("parameters of a queue") {
  auto value = [](const std::string& text) { return pgq::parse_assignment(text).value.value_or("NULL"); };
  CHECK(value("ticker_max_lag=250ms") == "250 milliseconds");
  CHECK(value("queue_ticker_max_lag = 1m30s") == "90 seconds");
  CHECK(value("rotation_period=7200") == "7200 seconds");
  CHECK(value("ticker_max_count=0500") == "500");
  CHECK(value("ticker_paused=ON") == "true");
  CHECK(value("external_ticker=0") == "false");
  CHECK(value("retry_limit=0") == "0");
  CHECK(value("retry_limit=None") == "NULL");
  CHECK(value("retry_backoff=1.5") == "1.5");

  auto wrong = [](const std::string& text) { return complaint([&] { pgq::parse_assignment(text); }); };
  CHECK(wrong("ticker_max_lg=1s") == "unknown parameter 'ticker_max_lg'; did you mean 'ticker_max_lag'?");
  CHECK(wrong("zzz=1").starts_with("unknown parameter 'zzz'; known are ticker_max_count, "));
  CHECK(wrong("ticker_max_lag") == "not of the form parameter=value: 'ticker_max_lag'");
  CHECK(wrong("=1") == "not of the form parameter=value: '=1'");
  for (auto* text : {"ticker_max_count=0", "ticker_max_count=-1", "ticker_max_count=1.5", "ticker_max_count=none",
                     "ticker_max_count=99999999999", "ticker_max_lag=-1s", "ticker_max_lag=soon",
                     "ticker_max_lag=", "ticker_paused=maybe", "retry_limit=-1", "retry_limit=", "retry_backoff=0.5",
                     "retry_backoff=nan", "retry_backoff=1001", "retry_delay=none"}) {
    INFO(text);
    CHECK_THROWS_AS(pgq::parse_assignment(text), UsageError);
  }
  CHECK(complaint([] {
          pgq::parse_assignments({"retry_limit=1", "queue_retry_limit=2"});
        }) == "parameter retry_limit is given twice");
}

TEST_CASE("a step is the statement that runs") {
  CHECK(pgq::parse_assignment("ticker_max_lag=1s").step("it's").sql ==
        "select pgq.set_queue_config('it''s', 'ticker_max_lag', '1 seconds')");
  CHECK(pgq::parse_assignment("retry_limit=none").step("q").sql ==
        "select skytools.set_queue_policy('q', 'retry_limit', null)");
}
