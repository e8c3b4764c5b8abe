#pragma once
#include <atomic>

#include "core/base/stop.h"

namespace skytools::cmd {

/// SIGINT and SIGTERM: the first asks for a stop, a second one cancels. SIGHUP sets `reload`, which one-shot commands
/// never look at. SIGPIPE is ignored, so that a closed pipe is an error of the write. Call once; both must outlive the
/// process.
void install_signals(StopToken& stop, std::atomic<bool>& reload);

}  // namespace skytools::cmd
