#include <doctest/doctest.h>

#include <map>
#include <random>

#include "core/londiste/fold.h"

using namespace skytools;
using namespace skytools::londiste;

namespace {

using Value = std::optional<std::string>;

RowChange change(RowOp op, Value key, Value v = "v") {
  return {op, {{"id", std::move(key)}, {"v", std::move(v)}}, {"id"}};
}

/// Folds the changes; stops (false) at the first that does not fit.
bool fold_all(Fold& fold, std::vector<RowChange> changes) {
  for (auto& c : changes) {
    if (!fold.accepts(c)) return false;
    fold.add(std::move(c));
  }
  return true;
}

constexpr RowOp I = RowOp::insert, U = RowOp::update, D = RowOp::remove;

std::vector<RowChange> sequence(const std::vector<RowOp>& ops) {
  std::vector<RowChange> out;
  for (std::size_t i = 0; i < ops.size(); ++i) out.push_back(change(ops[i], "1", std::to_string(i)));
  return out;
}

}  // namespace

TEST_CASE("net effect of each sequence of changes of one row") {
  struct Case {
    std::vector<RowOp> ops;
    bool gone;
    RowOp op;
    bool replace;
  };
  const Case cases[] = {
      {{I}, false, I, false},          {{U}, false, U, false},
      {{D}, false, D, false},          {{I, U}, false, I, false},
      {{I, D}, true, I, false},        {{U, U}, false, U, false},
      {{U, D}, false, D, false},       {{D, I}, false, I, true},
      {{I, U, D}, true, I, false},     {{I, D, I}, false, I, false},
      {{D, I, U}, false, I, true},     {{D, I, D}, false, D, false},
      {{U, D, I}, false, I, true},     {{U, U, D, I}, false, I, true},
      {{D, I, D, I}, false, I, true},  {{I, D, I, U, D}, true, I, false},
      {{I, U, U, U}, false, I, false},
  };
  for (auto& c : cases) {
    Fold fold;
    REQUIRE(fold_all(fold, sequence(c.ops)));
    REQUIRE(fold.rows().size() == 1);
    const Fold::Row& row = fold.rows()[0];
    CAPTURE(c.ops.size());
    CHECK(row.gone == c.gone);
    if (c.gone) continue;
    CHECK(row.op == c.op);
    CHECK(row.replace == c.replace);
    CHECK(row.values[1] == std::to_string(c.ops.size() - 1));
  }
}

TEST_CASE("sequences that make no sense are not folded") {
  for (auto& ops :
       std::vector<std::vector<RowOp>>{{I, I}, {U, I}, {D, D}, {D, U}, {I, D, U}, {I, D, D}, {D, I, I}, {U, D, U}}) {
    Fold fold;
    CHECK_FALSE(fold_all(fold, sequence(ops)));
  }
}

TEST_CASE("another shape of row or key is not folded") {
  Fold fold;
  REQUIRE(fold_all(fold, {change(I, "1")}));
  CHECK_FALSE(fold.accepts({I, {{"id", "2"}}, {"id"}}));
  CHECK_FALSE(fold.accepts({I, {{"v", "2"}, {"id", "2"}}, {"id"}}));
  CHECK_FALSE(fold.accepts({I, {{"id", "2"}, {"w", "2"}}, {"id"}}));
  CHECK_FALSE(fold.accepts({I, {{"id", "2"}, {"v", "2"}}, {"id", "v"}}));
  CHECK(fold.accepts(change(I, "2")));
  fold.clear();
  CHECK(fold.accepts({I, {{"w", "2"}, {"id", "2"}}, {"id"}}));
}

TEST_CASE("an empty fold takes the shape of what comes, also after a refusal") {
  Fold fold;
  CHECK_FALSE(fold.accepts({I, {{"v", "1"}}, {"id"}}));  // the key is not among the columns
  CHECK(fold.empty());
  CHECK(fold_all(fold, {change(I, "1")}));
}

TEST_CASE("NULL, the empty string and values that look alike are different keys") {
  Fold fold;
  auto two = [](Value a, Value b) { return RowChange{I, {{"a", std::move(a)}, {"b", std::move(b)}}, {"a", "b"}}; };
  REQUIRE(fold_all(fold, {two(std::nullopt, ""), two("", std::nullopt), two("", ""), two(std::nullopt, std::nullopt),
                          two("-", ""), two("", "-"), two("1:a", ""), two("", "1:a"), two("1", ":a"), two("a", "b"),
                          two("ab", ""), two(std::string("a\0b", 3), ""), two("a", "0b")}));
  CHECK(fold.rows().size() == 13);
}

TEST_CASE("NULL and the empty string are different values") {
  Fold fold;
  REQUIRE(fold_all(
      fold, {change(U, "1", ""), change(U, "2", std::nullopt), change(U, "3", "x"), change(U, "3", std::nullopt)}));
  CHECK(fold.rows()[0].values[1] == "");
  CHECK_FALSE(fold.rows()[1].values[1].has_value());
  CHECK_FALSE(fold.rows()[2].values[1].has_value());
}

TEST_CASE("bytes follow what is held") {
  Fold fold;
  REQUIRE(fold_all(fold, {change(I, "1", std::string(1000, 'x'))}));
  auto one = fold.bytes();
  CHECK(one >= 1000);
  REQUIRE(fold_all(fold, {change(U, "1", std::string(500, 'x'))}));
  CHECK(fold.bytes() < one);
  REQUIRE(fold_all(fold, {change(I, "2", std::string(1000, 'x'))}));
  CHECK(fold.bytes() > 1500);
  fold.clear();
  CHECK(fold.bytes() == 0);
  CHECK(fold.empty());
}

TEST_CASE("folding and applying at once gives the same table as applying one by one") {
  std::mt19937 random(4711);
  for (int round = 0; round < 300; ++round) {
    std::map<std::string, std::string> plain, folded;
    for (int i = 0; i < 4; ++i) plain[std::to_string(i)] = "old";
    folded = plain;
    Fold fold;
    auto flush = [&] {
      for (auto& row : fold.rows())
        if (!row.gone && (row.op == D || row.replace)) CHECK(folded.erase(*row.values[0]) == 1);
      for (auto& row : fold.rows())
        if (!row.gone && row.op == U) folded.at(*row.values[0]) = *row.values[1];
      for (auto& row : fold.rows())
        if (!row.gone && row.op == I) CHECK(folded.emplace(*row.values[0], *row.values[1]).second);
      fold.clear();
    };
    for (int step = 0; step < 60; ++step) {
      std::string key = std::to_string(random() % 8), value = std::to_string(step);
      bool there = plain.contains(key);
      RowOp op = !there ? I : random() % 3 ? U : D;
      if (op == D)
        plain.erase(key);
      else
        plain[key] = value;
      RowChange c = change(op, key, value);
      if (!fold.accepts(c)) {
        FAIL("a sensible sequence was refused");
      }
      fold.add(std::move(c));
      if (random() % 25 == 0) flush();
    }
    flush();
    CHECK(plain == folded);
  }
}
