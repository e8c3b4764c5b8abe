#pragma once
#include <optional>

#include "core/londiste/change.h"
#include "core/pgq/event.h"

namespace skytools::londiste {

/// Is it a change of table data, by its type: `I U D R`, `I:` `U:` `D:` or a JSON object? Everything else is no row
/// event.
bool is_data_event(const pgq::Event& e);

/// The table an event is about (ev_extra1), schema included.
std::string event_table(const pgq::Event& e);

/// Decodes a data event of any capture format; nullopt when there is nothing to do (an update of a row without data
/// columns). Formats: docs/formats.md §2 (logutriga), §3 (sqltriga), §4 (jsontriga).  @throws Error  naming the event
std::optional<Change> decode_change(const pgq::Event& e);

}  // namespace skytools::londiste
