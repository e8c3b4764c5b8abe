#pragma once
#include <functional>
#include <string>

#include "core/cascade/handler.h"

namespace skytools::cascade {

/// Stores `text` as the consumer's cur_error and waits. Admin commands are still acknowledged, and one ends the pause:
/// it may have mended what failed. A database that cannot be reached is waited for in silence.
void pause_after_error(const WorkerSettings& settings, const std::string& text, milliseconds pause,
                       const StopToken& stop, const std::function<void()>& alive);

}  // namespace skytools::cascade
