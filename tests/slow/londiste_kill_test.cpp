// kill -9 at every fail point of the batch loop and of the initial copy, on a branch and on a leaf, under load.
#include <doctest/doctest.h>

#include "tests/support/kill_matrix.h"

using namespace skytools::test;

namespace {

/// As found in core/cascade/worker.cpp.
const std::vector<KillPoint> kBatchPoints{
    {"worker.event", 5},        {"worker.event", 700},      {"worker.before_commit", 1}, {"worker.before_commit", 5},
    {"worker.after_commit", 1}, {"worker.after_commit", 4}, {"worker.after_tick", 3},    {"worker.after_finish", 2}};

/// As found in core/londiste/sync.cpp, copy_job.cpp and table_copy.cpp. While the copy sleeps, ticks gather that it
/// must replay.
const std::string kLate = "copy.after_commit=sleep:1500";
const std::vector<KillPoint> kCopyPoints{{"sync.in_copy", 1},
                                         {"sync.in_copy", 2},
                                         {"copy.registered", 1},
                                         {"copy.after_data", 1},
                                         {"copy.after_data", 2},
                                         {"copy.before_commit", 1},
                                         {"copy.after_commit", 1},
                                         {"copy.after_commit", 2},
                                         {"copy.before_batch_commit", 1, kLate},
                                         {"copy.before_batch_commit", 3, kLate},
                                         {"copy.before_finish", 2, kLate},
                                         {"copy.wanna_sync", 1},
                                         {"sync.do_sync", 1},
                                         {"sync.do_sync", 2},
                                         {"copy.do_sync", 1},
                                         {"copy.handed_over", 1},
                                         {"copy.handed_over", 2}};

}  // namespace

TEST_CASE("a branch killed in its batch loop") { kill_at("branch", kBatchPoints, false); }
TEST_CASE("a leaf killed in its batch loop") { kill_at("leaf", kBatchPoints, false); }
TEST_CASE("a branch killed while it copies") { kill_at("branch", kCopyPoints, true); }
TEST_CASE("a leaf killed while it copies") { kill_at("leaf", kCopyPoints, true); }
