#pragma once
#include "core/cascade/options.h"
#include "core/cascade/worker.h"
#include "core/config/settings.h"
#include "core/londiste/replay.h"

namespace skytools::londiste {

inline constexpr config::Option kApplyOptions[] = {
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
    {.key = "stats_interval",
     .type = config::Type::duration,
     .fallback = "30s",
     .help = "pause between lines of statistics"},
};

/// Keys of the job type "londiste": the worker of one node.
inline constexpr auto kWorkerOptions =
    config::joined(kApplyOptions, cascade::kLoopOptions, cascade::kWatermarkOptions, cascade::kPositionOptions);

cascade::WorkerSettings read_worker_settings(const config::Settings& config);  ///< @throws UsageError
ReplaySettings read_replay_settings(const config::Settings& config);           ///< @throws UsageError

}  // namespace skytools::londiste
