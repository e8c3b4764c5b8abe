#pragma once
#include <functional>
#include <string>

#include "core/base/deadline.h"
#include "core/base/stop.h"

namespace skytools::run {

/// How a failed worker comes back.
struct RestartPolicy {
  milliseconds first = std::chrono::seconds(1);  ///< pause after the first failure, doubled for each further one
  milliseconds longest = std::chrono::seconds(60);
  milliseconds quiet = std::chrono::minutes(5);  ///< a run as long as this makes the next failure a first one
};

/// Runs `work` until it returns or a stop is asked for; a failure is logged and it starts again, which exactly-once
/// processing makes safe. `work` calls its argument when it has begun. What fails before that in the first run is the
/// user's to mend (a wrong connection string) and passes through; so does a missing schema at any time.
void supervise(const std::string& name, const StopToken& stop,
               const std::function<void(const std::function<void()>&)>& work, const RestartPolicy& policy = {});

}  // namespace skytools::run
