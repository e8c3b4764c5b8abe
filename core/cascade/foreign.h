#pragma once
#include <string>
#include <vector>

#include "core/cascade/steps.h"

/// The original's workers know nothing of our locks: they stand still when they are paused. An attribute of the node
/// remembers that a command did it, so that the next one resumes what a killed one left behind.
namespace skytools::cascade {

/// The original's worker of a root looks at its node every ten loops only: every ten seconds as it is configured.
inline constexpr milliseconds kForeignAnswer(15000);

/// Is it a consumer to pause: not served by a worker of ours, and not paused by people? True for one that an earlier
/// run left paused.
bool to_be_paused(pg::Transaction& tx, const std::string& queue, const std::string& consumer);

/// Pauses a consumer, with the mark, and waits until it has seen it. One that does not answer within `limit` is taken
/// for not running, with a warning: it stays paused.
void pause_foreign(pg::Connection& node, const std::string& queue, const std::string& consumer, milliseconds limit);

/// Was it paused by pause_foreign() and not resumed yet?
bool marked(pg::Transaction& tx, const std::string& queue, const std::string& consumer);

/// Resumes what pause_foreign() paused, and nothing else; for the transaction that ends the need for it.
std::vector<Call> resume_foreign(const std::string& queue, const std::string& consumer);

}  // namespace skytools::cascade
