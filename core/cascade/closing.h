#pragma once
#include <optional>
#include <string>

#include "core/base/deadline.h"
#include "core/cascade/steps.h"

namespace skytools::cascade {

/// Who has been writing to a node's queue in one transaction, the longest of them; a prepared one has no process.
struct OpenWriter {
  std::string who;  ///< "process 123", "prepared transaction 'x'"
  milliseconds age{0};
};
std::optional<OpenWriter> oldest_writer(pg::Connection& c, const std::string& queue);

/// demote_root() step 2 on a root that is closed for writes: waits for open writers and makes the last tick. A stop or
/// the deadline ends the wait within half a second. @throws TimedOut, Stopped
void make_last_tick(Net& net, Steps& steps, const std::string& root, const Deadline& deadline);

/// Opens a root for writes that demote_root() closed in steps 1 and 2.
void reopen_root(pg::Connection& c, const std::string& queue);

/// Queues that merge into the closed root's queue must not add to it any more. Our workers see that for themselves; the
/// original's are paused, which a node attribute remembers until resume_merges().
void pause_merges(Net& net, Steps& steps, const Peer& root, const Deadline& deadline);
void resume_merges(Net& net, Steps& steps, const Peer& root);

}  // namespace skytools::cascade
