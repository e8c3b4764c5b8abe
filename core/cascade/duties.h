#pragma once
#include "core/cascade/node.h"

namespace skytools::cascade {

/// Who reads: the one worker of a node, which maintains it, or any other cascaded consumer of the database.
enum class ConsumerKind { worker, consumer };

/// The queue of this database that takes the events of a batch.
enum class Copies {
  nowhere,
  own_queue,       ///< of a branch: ids and ticks kept
  combined_queue,  ///< of a merge leaf beside a combined root: new ids, without events about the part itself
};

/// What has to be done in the node's present role; computed anew whenever its state was read.
struct Duties {
  bool reads = false;          ///< takes batches from the provider
  bool applies = false;        ///< data events go to the handler
  bool system_events = false;  ///< carries out pgq.* events
  Copies copies = Copies::nowhere;
  bool waits_behind = false;      ///< never passes its position, which another worker moves
  bool several_ticks = false;     ///< while lagging: nobody depends on where its batches end
  bool publishes_local = false;   ///< tells the provider what its subtree still needs
  bool publishes_global = false;  ///< tells the set what is needed nowhere any more
};

/// @throws Error  a combination that no node can have
Duties duties_of(ConsumerKind kind, NodeType type, std::optional<NodeType> combined_type);

}  // namespace skytools::cascade
