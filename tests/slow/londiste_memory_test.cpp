// The worker's memory does not grow with the transaction or the rows: below 100 MB at its peak.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/cascade.h"

using namespace skytools;
using std::chrono::minutes;
using test::Cascade;

namespace {

constexpr std::int64_t kMegabyte = 1 << 20;
constexpr std::int64_t kLimit = 100 * kMegabyte;

/// VmHWM: the most resident memory a process has ever held, bytes.
std::int64_t peak_of(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;)
    if (std::int64_t kilobytes = 0; word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  return -1;
}

void check_peaks(Cascade& c) {
  for (auto* node : {"branch", "leaf"}) {
    std::int64_t peak = peak_of(c.worker(node).pid());
    MESSAGE(std::string(node) << ": " << peak / kMegabyte << " MB");
    CHECK(peak > kMegabyte);
    CHECK(peak < kLimit);
  }
}

struct Stage : Cascade {
  Stage() : Cascade({{"root"}, {"branch", "root"}, {"leaf", "branch"}}) {
    everywhere(
        "create table t (id int primary key, a int, v text); create table ordered (id int primary key, u int unique, v "
        "text);"
        "create table wide (id int primary key, v text, raw bytea)");
    start_all();
    add_tables({"t", "ordered", "wide"});
  }
  void apply(const std::string& sql) {
    query("root", sql);
    for (auto* node : {"branch", "leaf"}) sync(node, minutes(4));
  }
};

}  // namespace

TEST_CASE("one transaction of 500000 rows") {
  Stage c;
  c.apply("insert into t select g, g, md5(g::text) || repeat('x', 100) from generate_series(1, 500000) g");
  CHECK(c.difference({"t"}) == "");
  check_peaks(c);
  c.apply("begin; update t set v = 'short', a = -a; delete from t where id % 5 = 0; commit");
  CHECK(c.difference({"t"}) == "");
  check_peaks(c);
}

TEST_CASE("one transaction of 100000 rows whose order matters") {
  Stage c;
  c.apply("insert into ordered select g, g, md5(g::text) from generate_series(1, 100000) g");
  c.apply("update ordered set v = v || v, u = -u");
  CHECK(c.difference({"ordered"}) == "");
  check_peaks(c);
}

TEST_CASE("200 rows of 5 MB in one transaction") {
  Stage c;
  // A third of the bytes has to be escaped, which makes the event longer than the row.
  c.apply(
      "insert into wide (id, v) select g, repeat('line ' || g || E' of text\\n', 400000) from generate_series(1, 200) "
      "g");
  CHECK(c.query("leaf", "select count(*), min(length(v)) > 5000000 from wide") == "200|t");
  check_peaks(c);
  c.apply(
      "begin; update wide set v = 'short', raw = decode(repeat('00ff', 1000000), 'hex') where id < 50; delete from "
      "wide where id > 150; commit");
  CHECK(c.query("leaf", "select count(*), count(raw), max(length(raw)) from wide") == "150|49|2000000");
  check_peaks(c);
}

TEST_CASE("the initial copy of 500000 rows and of rows of 5 MB") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.query("root",
          "create table t (id int primary key, v text); insert into t select g, md5(g::text) || repeat('x', 100) from "
          "generate_series(1, 500000) g;"
          "create table wide (id int primary key, v text); insert into wide select g, repeat('0123456789', 500000) "
          "from generate_series(1, 100) g");
  c.start_all();
  for (auto* node : {"root", "branch", "leaf"}) {
    std::vector<std::string> args{"add-table", "t", "wide", "--create", "--wait-sync", "--timeout", "240s"};
    if (std::string(node) == "root") args = {"add-table", "t", "wide"};
    test::Output o = c.try_run(node, args, {.limit = minutes(4)});
    CHECK_MESSAGE(o.exit == 0, o.err);
  }
  CHECK(c.difference({"t", "wide"}) == "");
  check_peaks(c);
}
