#pragma once
#include <functional>
#include <string>

#include "core/base/deadline.h"
#include "core/cascade/net.h"

/// Talking to the workers of nodes through pgq_node.local_state: a change clears `uptodate`, the worker sets it again.
namespace skytools::cascade {

/// Waits until `ready` is true: looks when the node tells of a change, when it has a new tick, and four times a second.
/// @throws TimedOut  saying `what` was waited for  @throws Stopped
void wait_until(pg::Connection& node, const std::string& queue, const std::string& what, const Deadline& deadline,
                const std::function<bool(pg::Transaction&)>& ready);

/// Does a program of ours serve this consumer ("": the node's worker) now? It holds a lock as long as it lives; those
/// of the original do not.
bool ours_runs(pg::Transaction& tx, const std::string& queue, const std::string& consumer = "");

/// Is somebody there? Clears `uptodate` and waits until the consumer sets it. False after `limit`.
bool answers(pg::Connection& node, const std::string& queue, const std::string& consumer, milliseconds limit);

/// Pauses or resumes a consumer and waits until it has seen it. Already so is fine.
/// @throws TimedOut  nobody acknowledged: the flag stays set  @throws Error  unknown consumer; somebody flipped the
/// flag
void set_paused(pg::Connection& node, const std::string& queue, const std::string& consumer, bool paused,
                const Deadline& deadline);

/// What to do with a worker that is in the middle of a batch and does not come to its end.
enum class Busy { wait, end_session };  ///< end_session: its provider is dead, it may hang for long

/// Runs `work` while the consumer stands still, in a transaction on its node that has its row locked: our workers stop
/// at the lock; others are paused and resumed afterwards. One that doesn't answer within `limit` does not run.
/// @throws TimedOut  a batch was not over within `limit`
void while_still(pg::Connection& node, const std::string& queue, const std::string& consumer, milliseconds limit,
                 Busy busy, const std::function<void(pg::Transaction&, std::int64_t position)>& work);

/// A worker of a branch that died between its commit and its tick leaves events without one. Waits for the tick of a
/// running worker, or makes it up.
void complete_tick(pg::Connection& node, const std::string& queue);

}  // namespace skytools::cascade
