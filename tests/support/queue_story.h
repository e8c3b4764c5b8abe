#pragma once
#include "tests/support/queue.h"

namespace skytools::test {

/// What a random story came to; both lists sorted, so that they are equal when every event came exactly once.
struct Story {
  std::vector<std::string> committed, delivered;
  int refused = 0;    ///< producers that had to retry, because their view was older than a rotation
  int rotations = 0;  ///< tables emptied
  int lists = 0;      ///< batches that named single transactions
};

/// Random steps of ten writers (aborts, savepoints, REPEATABLE READ, one long transaction), a ticker, a rotation and a
/// consumer, from one seed: one step after the other, so that a failure comes again. The queue must be new.
Story random_story(const Queue& db, unsigned seed, int steps);

}  // namespace skytools::test
