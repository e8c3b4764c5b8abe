#pragma once
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "tests/support/cluster.h"

namespace skytools::test {

/// Does something in another thread once `moment` is true; joined with the object. A moment that does not come within
/// 30 s ends the test: what it waits for would hang.
class When {
 public:
  When(std::function<bool()> moment, std::function<void()> then)
      : thread_([moment = std::move(moment), then = std::move(then)] {
          if (!eventually(std::chrono::seconds(30), moment)) std::terminate();
          then();
        }) {}
  When(const When&) = delete;
  When& operator=(const When&) = delete;
  ~When() { thread_.join(); }

 private:
  std::thread thread_;
};

/// Is the thread that asked for this moment blocked in the kernel (poll, a condition variable)?
inline std::function<bool()> this_thread_waits() {
  return [path = "/proc/self/task/" + std::to_string(gettid()) + "/stat"] {
    std::string line;
    std::getline(std::ifstream(path), line);
    return line.find(") S ") != std::string::npos;
  };
}

/// Is the backend in pg_sleep()?
inline std::function<bool()> backend_sleeps(const std::string& conninfo, int pid) {
  return [=] {
    return query(conninfo, "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and pid = " +
                               std::to_string(pid)) == "1";
  };
}

}  // namespace skytools::test
