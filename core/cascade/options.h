#pragma once
#include "core/cascade/handler.h"
#include "core/config/settings.h"

namespace skytools::cascade {

/// Keys of everything that reads a cascaded queue.
inline constexpr config::Option kLoopOptions[] = {
    {.key = "loop_delay",
     .type = config::Type::duration,
     .fallback = "1s",
     .help = "longest pause between two looks for a batch; notifications wake earlier"},
    {.key = "exception_sleep",
     .type = config::Type::duration,
     .fallback = "20s",
     .help = "longest pause after an error; the first ones are shorter"},
    {.key = "remote_extra_connstr", .help = "appended to the connect strings of other nodes", .value = "CONNINFO"},
};

/// Those of the worker of a node, too.
inline constexpr config::Option kWatermarkOptions[] = {
    {.key = "local_wm_publish_period",
     .type = config::Type::duration,
     .fallback = "5m",
     .help = "how often the watermark is told to the provider"},
    {.key = "global_wm_publish_period",
     .type = config::Type::duration,
     .fallback = "5m",
     .help = "how often a root publishes the watermark of the whole set"},
};

/// One action instead of running.
inline constexpr config::Option kPositionOptions[] = {
    {.key = "rewind",
     .type = config::Type::boolean,
     .help = "move the provider's queue to the position stored here, then exit",
     .where = config::Where::flag},
    {.key = "reset",
     .type = config::Type::boolean,
     .help = "take over the position of the provider's queue, then exit: what lies between is skipped or repeated",
     .where = config::Where::flag},
};

/// Keys of the job type "cascade": the worker of a node whose events are only passed on.
inline constexpr auto kWorkerOptions = config::joined(kLoopOptions, kWatermarkOptions, kPositionOptions);

/// What is there of the keys above; `consumer` and the rest is the caller's. @throws UsageError
WorkerSettings read_worker_settings(const config::Settings& config);

}  // namespace skytools::cascade
