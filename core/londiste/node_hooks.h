#pragma once
#include <string>

#include "core/cascade/hooks.h"

namespace skytools::londiste {

/// What a Londiste set has to say about nodes that change places: a new root needs every table and sequence of the old
/// one, in step; a node whose copies are under way keeps its provider, for their snapshots are of that very server.
cascade::Hooks node_hooks(const std::string& queue);

}  // namespace skytools::londiste
