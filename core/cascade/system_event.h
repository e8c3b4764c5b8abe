#pragma once
#include "core/cascade/node.h"
#include "core/pgq/event.h"

namespace skytools::cascade {

/// Is this one of the cascade's own events (`pgq.*`)?
inline bool is_system_event(const pgq::Event& e) { return e.type.starts_with("pgq."); }

/// Carries one out on the local node. Formats: docs/formats.md §5.
/// @throws Error  for an unknown type or an event of another queue: the batch must not be finished
void apply_system_event(pg::Transaction& target, const std::string& queue, NodeType local_type, const pgq::Event& e);

}  // namespace skytools::cascade
