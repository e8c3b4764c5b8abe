#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/base/stop.h"
#include "core/run/child.h"

namespace skytools::run {

/// A set of this program's processes that belong together: started, started again when one fails (after a growing
/// pause), and ended together.
struct Team {
  std::vector<std::string> names;                            ///< one process each
  std::function<Launch(const std::string& name)> launch;     ///< how it is started
  bool once = false;                                         ///< each ends by itself
  std::function<void()> ready = [] {}, alive = [] {};        ///< all have been started; called at least once a second
  std::function<bool()> restart_all = [] { return false; };  ///< true: new settings, all are to be started anew
};

/// Until a stop: every process gets SIGTERM and may finish what it does; a cancel sends it again. With `once`, until
/// all have ended. @throws Error  with `once`, when one failed
void run_team(const Team& team, StopToken& stop);

}  // namespace skytools::run
