#include "core/cascade/options.h"

namespace skytools::cascade {

WorkerSettings read_worker_settings(const config::Settings& config) {
  WorkerSettings settings{.db = config.text("db"), .queue = config.text("queue")};
  settings.loop_delay = config.duration("loop_delay");
  settings.longest_pause = config.duration("exception_sleep");
  settings.remote_extra = config.text("remote_extra_connstr");
  settings.once = config.boolean("once");
  if (config::find_key(config.tables(), "local_wm_publish_period")) {
    settings.local_watermark_period = config.duration("local_wm_publish_period");
    settings.global_watermark_period = config.duration("global_wm_publish_period");
  }
  return settings;
}

}  // namespace skytools::cascade
