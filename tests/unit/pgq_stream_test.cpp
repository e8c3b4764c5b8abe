#include <doctest/doctest.h>

#include <random>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/base/urlcode.h"
#include "core/pgq/event_stream.h"
#include "core/pgq/snapshot.h"

using namespace skytools;
using namespace skytools::pgq;

TEST_CASE("COPY text fields") {
  std::string out;
  CHECK(unescape_copy("", out));
  CHECK(out.empty());
  CHECK_FALSE(unescape_copy("\\N", out));
  CHECK(out.empty());
  CHECK(unescape_copy("\\\\N", out));
  CHECK(out == "\\N");
  CHECK(unescape_copy("a\\tb\\nc\\\\d\\be\\ff\\rg\\vh", out));
  CHECK(out == "a\tb\nc\\d\be\ff\rg\vh");
  CHECK(unescape_copy("\\x\\", out));  // an odd end is kept from running over
  CHECK(out == "x");
}

TEST_CASE("escaping and unescaping any bytes gives them back") {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string value, field, back;
    for (std::size_t n = random() % 40; n > 0; --n)
      value += random() % 3 ? "\\\t\n\rNab\v\f\b"[random() % 10] : static_cast<char>(random() % 255 + 1);
    escape_copy(value, field);
    CHECK(field.find_first_of("\t\n\r") == std::string::npos);
    CHECK(field != "\\N");
    CHECK(unescape_copy(field, back));
    CHECK(back == value);
  }
}

TEST_CASE("url encoding and decoding any row gives it back") {
  std::mt19937 random(2);
  for (int i = 0; i < 500; ++i) {
    std::vector<Field> row;
    for (std::size_t n = random() % 6 + 1; n > 0; --n) {
      Field f{"c", std::nullopt};
      for (std::size_t k = random() % 5; k > 0; --k) f.name += static_cast<char>(random() % 255 + 1);
      if (random() % 4) {
        f.value.emplace();
        for (std::size_t k = random() % 30; k > 0; --k) *f.value += static_cast<char>(random() % 255 + 1);
      }
      row.push_back(f);
    }
    CHECK(decode_row(encode_row(row)) == row);
  }
}

TEST_CASE("url encoding as the capture triggers do it") {
  CHECK(encode_row({{"a B", "x y"}, {"n", std::nullopt}, {"e", ""}, {"s", "~!*'()&=%+/\xc3\xa9_.-"}}) ==
        "a+B=x+y&n&e=&s=%7e%21%2a%27%28%29%26%3d%25%2b%2f%c3%a9_.-");
  std::vector<Field> reused{{"old", "long value that is replaced"}, {"old2", std::nullopt}, {"old3", "x"}};
  decode_row("a&b=", reused);
  CHECK(reused == std::vector<Field>{{"a", std::nullopt}, {"b", ""}});
  decode_row("", reused);
  CHECK(reused.empty());
  CHECK(decode_row("a=b=c") == std::vector<Field>{{"a", "b=c"}});
  for (auto* bad : {"a=%", "a=%1", "a=%g0", "%=1", "a=1&b=%0"}) CHECK_THROWS_AS(decode_row(bad), Error);
  CHECK_THROWS_AS(decode_row("a=%2&b=00"), Error);  // an escape does not reach over its field
}

TEST_CASE("snapshots") {
  Snapshot s = Snapshot::parse("100:110:105,102");
  CHECK(s.xmax() == 110);
  for (std::int64_t seen : {1, 99, 100, 101, 103, 104, 106, 109}) CHECK(s.visible(seen));
  for (std::int64_t hidden : {102, 105, 110, 111, 1'000'000}) CHECK_FALSE(s.visible(hidden));
  CHECK(Snapshot::parse("5:5:").visible(4));
  CHECK_FALSE(Snapshot::parse("5:5:").visible(5));
  CHECK(Snapshot::parse("9000000000:9000000005:9000000001").visible(8'999'999'999));
  for (auto* bad : {"", "1", "1:2", "a:2:", "1:b:", "1:2:x", "1:2:3,y", ":", "::", "1 :2:"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(Snapshot::parse(bad), Error);
  }
}

TEST_CASE("choosing names by patterns") {
  const std::vector<std::string> known{"public.a", "public.ab", "public.b", "app.a", "app.log_1", "public.Odd ?"};
  auto choose = [&](const std::vector<std::string>& patterns, std::size_t wrong = 0) {
    std::vector<std::string> unmatched;
    auto names = select_names(patterns, known, unmatched);
    CHECK(unmatched.size() == wrong);
    return join(names, " ");
  };
  CHECK(choose({"a"}) == "public.a");
  CHECK(choose({"a*"}) == "public.a public.ab");
  CHECK(choose({"b", "a"}) == "public.a public.b");
  CHECK(choose({"app.*"}) == "app.a app.log_1");
  CHECK(choose({"app.*", "!app.log_*"}) == "app.a");
  CHECK(choose({"*"}) == join(known, " "));
  CHECK(choose({"*", "!*.a"}) == "public.ab public.b app.log_1 public.Odd ?");
  CHECK(choose({"nothing*"}) == "");
  CHECK(choose({"nothing", "a"}, 1) == "public.a");
  CHECK(choose({"A"}, 1) == "");
  CHECK(choose({"?"}) == "public.a public.b");
}
