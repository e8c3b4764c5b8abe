#include "core/run/supervisor.h"

#include "core/base/backoff.h"
#include "core/base/error.h"
#include "core/log/log.h"

namespace skytools::run {

void supervise(const std::string& name, const StopToken& stop,
               const std::function<void(const std::function<void()>&)>& work, const RestartPolicy& policy) {
  Backoff backoff(policy.first, policy.longest);
  bool begun = false;
  while (!stop.requested()) {
    auto started = Clock::now();
    try {
      work([&begun] { begun = true; });
      return;
    } catch (const Stopped&) {
      if (stop.requested()) return;
      throw;
    } catch (const SchemaMissing&) {
      throw;
    } catch (const Error& e) {
      if (!begun) throw;
      if (Clock::now() - started >= policy.quiet) backoff.reset();
      milliseconds pause = backoff.next();
      log::error(name + " failed, starting again: " + describe(e), {{"retry_ms", pause.count()}});
      stop.wait(pause);
    }
  }
}

}  // namespace skytools::run
