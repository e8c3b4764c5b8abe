// The worker is killed at the points where it matters most, under load. All points: tests/slow/londiste_kill_test.cpp
#include <doctest/doctest.h>

#include "tests/support/kill_matrix.h"

using skytools::test::kill_at;

TEST_CASE("a branch killed around its commit and its tick") {
  kill_at("branch", {{"worker.before_commit", 3}, {"worker.after_commit", 3}, {"worker.after_tick", 2}}, false);
}

TEST_CASE("a leaf killed while it copies and hands over") {
  kill_at("leaf", {{"copy.after_commit"}, {"sync.do_sync"}, {"copy.handed_over"}}, true);
}
