#pragma once
#include "core/cascade/worker.h"
#include "core/config/settings.h"
#include "core/londiste/replay.h"

namespace skytools::londiste {

/// Keys of the job type "londiste": the worker of one node.
inline constexpr config::Option kWorkerOptions[] = {
    {.key = "loop_delay",
     .type = config::Type::duration,
     .fallback = "1s",
     .help = "longest pause between two looks for a batch; notifications wake earlier"},
    {.key = "apply.max_rows",
     .type = config::Type::integer,
     .fallback = "10000",
     .help = "changed rows in memory; half of them are applied while the next half is gathered"},
    {.key = "apply.max_bytes",
     .type = config::Type::size,
     .fallback = "8MB",
     .help = "the same in bytes of values; a row of more than half of it goes alone"},
    {.key = "apply.catch_up",
     .type = config::Type::integer,
     .fallback = "20000",
     .help = "events a lagging leaf takes at once, over several ticks; 0: always tick by tick"},
    {.key = "copy.parallel",
     .type = config::Type::integer,
     .fallback = "2",
     .help = "initial copies that run at the same time"},
    {.key = "exception_sleep",
     .type = config::Type::duration,
     .fallback = "20s",
     .help = "longest pause after an error; the first ones are shorter"},
    {.key = "local_wm_publish_period",
     .type = config::Type::duration,
     .fallback = "5m",
     .help = "how often the watermark is told to the provider"},
    {.key = "global_wm_publish_period",
     .type = config::Type::duration,
     .fallback = "5m",
     .help = "how often a root publishes the watermark of the whole set"},
    {.key = "remote_extra_connstr", .help = "appended to the connect strings of other nodes", .value = "CONNINFO"},
    {.key = "stats_interval",
     .type = config::Type::duration,
     .fallback = "30s",
     .help = "pause between lines of statistics"},
};

cascade::WorkerSettings read_worker_settings(const config::Settings& config);  ///< @throws UsageError
ReplaySettings read_replay_settings(const config::Settings& config);           ///< @throws UsageError

}  // namespace skytools::londiste
