#include <doctest/doctest.h>

#include "core/base/strings.h"

using namespace skytools;
using Words = std::vector<std::string>;

TEST_CASE("split trims its parts and keeps empty ones between separators") {
  CHECK(split(" a , b,,c ", ',') == Words{"a", "b", "", "c"});
  CHECK(split("a", ',') == Words{"a"});
  CHECK(split("a,", ',') == Words{"a", ""});
  CHECK(split("", ',').empty());
  CHECK(split("  ", ',').empty());
}

TEST_CASE("join is the way back") {
  CHECK(join({"a", "b"}, ", ") == "a, b");
  CHECK(join({}, ", ").empty());
}

TEST_CASE("trim and lower") {
  CHECK(trim(" \t a b \r\n") == "a b");
  CHECK(trim(" \n").empty());
  CHECK(lower("AbC-Ä") == "abc-Ä");
}

TEST_CASE("glob patterns match whole names") {
  CHECK(glob_match("public.*", "public.orders"));
  CHECK(glob_match("*", ""));
  CHECK(glob_match("a?c", "abc"));
  CHECK(glob_match("*a*b", "xaxaxb"));
  CHECK_FALSE(glob_match("a?c", "ac"));
  CHECK_FALSE(glob_match("order", "orders"));
  CHECK_FALSE(glob_match("", "a"));
  CHECK_FALSE(glob_match("a[b]", "ab"));
}

TEST_CASE("names are picked in the order they are known") {
  const Words known = {"public.a", "public.b", "sales.a", "sales.c"};
  Words unmatched;
  CHECK(select_names({"b", "a"}, known, unmatched) == Words{"public.a", "public.b"});
  CHECK(select_names({"sales.*", "!sales.c"}, known, unmatched) == Words{"sales.a"});
  CHECK(select_names({"*"}, known, unmatched) == known);
  CHECK(select_names({"!public.*"}, known, unmatched) == Words{"sales.a", "sales.c"});
  CHECK(select_names({}, known, unmatched).empty());
  CHECK(unmatched.empty());
}

TEST_CASE("a plain name that matches nothing is reported, a pattern is not") {
  Words unmatched;
  CHECK(select_names({"nope", "x.*", "!gone"}, {"public.a"}, unmatched).empty());
  CHECK(unmatched == Words{"public.nope"});
}

TEST_CASE("the closest word is found, but only when it is near") {
  CHECK(closest("qeue", {"queue", "job"}) == "queue");
  CHECK(closest("londist", {"install", "londiste"}) == "londiste");
  CHECK(closest("zzzzzz", {"queue", "job"}).empty());
  CHECK(closest("a", {}).empty());
}
