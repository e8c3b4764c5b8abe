#pragma once
#include "core/cascade/node.h"
#include "core/pgq/event.h"

namespace skytools::cascade {

/// Is this one of the cascade's own events (`pgq.*`)?
inline bool is_system_event(const pgq::Event& e) { return e.type.starts_with("pgq."); }

/// Is this about the set of this queue (`londiste.*`: tables and sequences come and go)? Such events and the cascade's
/// own concern each node by itself: they are not merged into a combined queue, and carried out where no data is
/// applied.
inline bool is_set_event(const pgq::Event& e) { return e.type.starts_with("londiste."); }
/// Both kinds, as condition on the rows of a batch.
inline constexpr const char* kSystemEventsSql = "(ev_type like 'pgq.%' or ev_type like 'londiste.%')";

/// Carries one out on the local node. Formats: docs/formats.md §5.
/// @throws Error  for an unknown type or an event of another queue: the batch must not be finished
void apply_system_event(pg::Transaction& target, const std::string& queue, NodeType local_type, const pgq::Event& e);

}  // namespace skytools::cascade
