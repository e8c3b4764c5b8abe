#include "core/cascade/duties.h"

namespace skytools::cascade {

namespace {

struct Row {
  NodeType type;
  std::optional<NodeType> combined;  ///< of the queue a leaf merges into
  Duties duties;
};

constexpr Row kWorker[] = {
    {NodeType::root, {}, {.publishes_global = true}},
    {NodeType::branch,
     {},
     {.reads = true, .applies = true, .system_events = true, .copies = Copies::own_queue, .publishes_local = true}},
    {NodeType::leaf,
     {},
     {.reads = true, .applies = true, .system_events = true, .several_ticks = true, .publishes_local = true}},
    {NodeType::leaf,
     NodeType::root,
     {.reads = true,
      .applies = true,
      .system_events = true,
      .copies = Copies::combined_queue,
      .publishes_local = true}},
    {NodeType::leaf,
     NodeType::branch,
     {.reads = true, .system_events = true, .waits_behind = true, .publishes_local = true}},
};

}  // namespace

Duties duties_of(ConsumerKind kind, NodeType type, std::optional<NodeType> combined_type) {
  // It reads what the worker of the same database reads, but the node is not its business.
  if (kind == ConsumerKind::consumer) {
    bool reads = type != NodeType::root;
    return {.reads = reads, .applies = reads, .several_ticks = reads};
  }
  for (auto& row : kWorker)
    if (row.type == type && row.combined == combined_type) return row.duties;
  throw Error("a " + std::string(to_string(type)) + " cannot merge into a queue whose node is a " +
              std::string(combined_type ? to_string(*combined_type) : "?"));
}

}  // namespace skytools::cascade
