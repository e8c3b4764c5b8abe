#include "core/base/failpoint.h"

#ifdef SKYTOOLS_FAILPOINTS
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools {

namespace {

struct Action {
  std::string verb;
  int at_pass = 1;
  int passes = 0;
};

std::map<std::string, Action, std::less<>> read_environment() {
  std::map<std::string, Action, std::less<>> actions;
  const char* text = std::getenv("SKYTOOLS_FAILPOINTS");
  for (auto& entry : split(text ? text : "", ';')) {
    auto eq = entry.find('=');
    if (eq == std::string::npos) throw UsageError("bad fail point '" + entry + "'");
    Action action{.verb = entry.substr(eq + 1)};
    if (auto at = action.verb.find('@'); at != std::string::npos) {
      action.at_pass = std::stoi(action.verb.substr(at + 1));
      action.verb.resize(at);
    }
    actions[entry.substr(0, eq)] = action;
  }
  return actions;
}

}  // namespace

void failpoint_hit(const char* name) {
  static std::mutex mutex;
  static auto actions = read_environment();
  std::string verb;
  {
    std::lock_guard lock(mutex);
    auto it = actions.find(std::string_view(name));
    if (it == actions.end() || ++it->second.passes != it->second.at_pass) return;
    verb = it->second.verb;
  }
  if (verb == "crash") kill(getpid(), SIGKILL);
  if (verb == "error") throw Error(std::string("fail point ") + name);
  if (verb.starts_with("sleep:")) std::this_thread::sleep_for(std::chrono::milliseconds(std::stol(verb.substr(6))));
}

}  // namespace skytools
#endif
