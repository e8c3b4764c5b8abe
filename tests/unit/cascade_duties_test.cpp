// What a worker has to do in each role of its node.
#include <doctest/doctest.h>

#include "core/base/error.h"
#include "core/cascade/duties.h"

using namespace skytools;
using namespace skytools::cascade;

namespace {

Duties worker(NodeType type, std::optional<NodeType> combined = std::nullopt) {
  return duties_of(ConsumerKind::worker, type, combined);
}

}  // namespace

TEST_CASE("the duties of a worker follow its node's role") {
  CHECK_FALSE(worker(NodeType::root).reads);
  CHECK(worker(NodeType::root).publishes_global);
  CHECK(worker(NodeType::branch).copies == Copies::own_queue);
  CHECK(worker(NodeType::leaf).copies == Copies::nowhere);
  CHECK(worker(NodeType::leaf, NodeType::root).copies == Copies::combined_queue);
  CHECK(worker(NodeType::leaf, NodeType::root).applies);
  CHECK(worker(NodeType::leaf, NodeType::branch).waits_behind);
  CHECK_FALSE(worker(NodeType::leaf, NodeType::branch).applies);
  CHECK(worker(NodeType::leaf, NodeType::branch).system_events);
  for (auto combined : {std::optional<NodeType>(), std::optional(NodeType::root), std::optional(NodeType::branch)})
    CHECK(worker(NodeType::leaf, combined).publishes_local);
  // Only of a leaf that nobody follows may batches end where no tick of the set's order is.
  CHECK(worker(NodeType::leaf).several_ticks);
  for (auto combined : {NodeType::root, NodeType::branch}) CHECK_FALSE(worker(NodeType::leaf, combined).several_ticks);
  CHECK_FALSE(worker(NodeType::branch).several_ticks);
}

TEST_CASE("a node that cannot be is an error") {
  CHECK_THROWS_AS(worker(NodeType::leaf, NodeType::leaf), Error);
  CHECK_THROWS_AS(worker(NodeType::branch, NodeType::root), Error);
}

TEST_CASE("a plain consumer applies and leaves the node alone") {
  for (auto type : {NodeType::root, NodeType::branch, NodeType::leaf}) {
    Duties duties = duties_of(ConsumerKind::consumer, type, std::nullopt);
    CHECK(duties.reads == (type != NodeType::root));
    CHECK(duties.applies == duties.reads);
    CHECK(duties.copies == Copies::nowhere);
    CHECK_FALSE((duties.system_events || duties.publishes_local || duties.publishes_global || duties.waits_behind));
  }
}
