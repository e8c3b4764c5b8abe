// Twenty switchovers back and forth under load: no transaction lost or doubled, the write pause of each.
#include <doctest/doctest.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tests/support/roaming_set.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::RoamingLoad;
using test::RoamingSet;

TEST_CASE("twenty switchovers back and forth") {
  RoamingSet s({{"root"}, {"branch", "root"}, {"leaf", "branch"}, {"branch2", "root"}, {"leaf2", "root"}});
  RoamingLoad load(s.conninfos({"root", "branch"}));
  std::vector<double> pauses, gaps;
  for (int round = 0; round < 20; ++round) {
    INFO("round " << round);
    std::string to = round % 2 ? "root" : "branch";
    auto start = load.committed();
    REQUIRE(eventually(seconds(30), [&] { return load.committed() > start + 300; }));
    load.longest_gap();
    auto o = s.role("leaf", {"switchover", "--to", to, "--json"});
    REQUIRE_MESSAGE(o.exit == 0, o.err);
    start = load.committed();
    REQUIRE(eventually(seconds(30), [&] { return load.committed() > start + 20; }));
    pauses.push_back(nlohmann::json::parse(o.out)["write_pause"].get<double>() * 1000);
    gaps.push_back(static_cast<double>(load.longest_gap().count()));
    std::cerr << "switchover " << round + 1 << " to " << to << ": write pause " << pauses.back()
              << " ms, longest time without a commit " << gaps.back() << " ms\n";
    s.c.root_is(to);
    if (round % 5 == 4) {
      load.hold();
      s.expect_equal(load);
      load.go();
    }
  }
  load.stop();
  s.expect_equal(load);
  std::sort(pauses.begin(), pauses.end());
  std::sort(gaps.begin(), gaps.end());
  std::cerr << "median write pause " << pauses[10] << " ms, median time without a commit " << gaps[10] << " ms, "
            << load.committed() << " transactions\n";
}
