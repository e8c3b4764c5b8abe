#pragma once
#include <string>

#include "core/cascade/handler.h"

/// Where a worker or cascaded consumer stands, changed by hand while it does not run. Each function tells in one line
/// what it did, or with `dry_run` what it would do.
namespace skytools::cascade {

/// Moves the consumer of the provider's queue to the tick that is completed here.
/// @throws Refused  it is running; Error  on a root, or when the provider has no such tick any more
std::string rewind(const WorkerSettings& settings, bool dry_run, const StopToken& stop);

/// Takes over the position of the provider's queue. What lies between is skipped, or applied twice.
/// @throws Refused  it is running; Error  on a root, or backwards on a branch, whose queue has the events already
std::string reset(const WorkerSettings& settings, bool dry_run, const StopToken& stop);

/// Makes the plain consumer `settings.consumer` known: to the queue of node `provider` ("": that of the worker), from
/// its newest tick on, then here. What an earlier attempt left half done is finished.
/// @throws Error  it reads from another node already, or that node feeds nobody
std::string register_consumer(const WorkerSettings& settings, const std::string& provider, bool dry_run,
                              const StopToken& stop);

/// Takes it off the provider's queue, then forgets it here. @throws Refused  it is running
std::string unregister_consumer(const WorkerSettings& settings, bool dry_run, const StopToken& stop);

}  // namespace skytools::cascade
