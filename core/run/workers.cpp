#include "core/run/workers.h"

#include <csignal>
#include <memory>

#include "core/base/backoff.h"
#include "core/base/error.h"
#include "core/log/log.h"

namespace skytools::run {

namespace {

constexpr milliseconds kLook(100);                        // between two looks at the processes
constexpr milliseconds kQuiet = std::chrono::minutes(1);  // a run as long as this makes the next failure a first one

struct Worker {
  std::string name;
  std::unique_ptr<Child> child = {};
  Backoff backoff{std::chrono::seconds(1), std::chrono::seconds(30)};
  Clock::time_point started = {}, start_at = {};
  bool done = false;
};

class Workers {
 public:
  explicit Workers(const Team& team) : team_(team) {
    for (auto& name : team.names) workers_.push_back({.name = name});
  }

  /// Starts what is due, notices what has ended. False once nothing is left to do.
  bool tend() {
    bool left = false;
    for (auto& w : workers_) {
      if (w.child) check_end(w);
      if (!w.child && !w.done && Clock::now() >= w.start_at) start(w);
      left |= !w.done;
    }
    return left;
  }

  /// SIGTERM to all, and again on a cancel; waits until the last has ended.
  void end(const StopToken& stop) {
    signal(SIGTERM);
    bool again = stop.cancelled();
    if (again) signal(SIGTERM);
    for (auto& w : workers_) {
      while (w.child && !w.child->wait(Deadline(kLook))) {
        team_.alive();
        if (stop.cancelled() && !again) again = true, signal(SIGTERM);
      }
      w.child.reset();
    }
  }
  void start_all_at_once() {
    for (auto& w : workers_) w.start_at = {}, w.done = false;
  }
  const std::string& failed() const { return failed_; }

 private:
  void signal(int number) {
    for (auto& w : workers_)
      if (w.child) w.child->signal(number);
  }
  void start(Worker& w) {
    w.child = std::make_unique<Child>(team_.launch(w.name));
    w.started = Clock::now();
    log::info("worker started", {{"worker", w.name}, {"pid", w.child->pid()}});
  }
  void check_end(Worker& w) {
    auto code = w.child->wait(Deadline(milliseconds(0)));
    if (!code) return;
    w.child.reset();
    if (team_.once) {
      w.done = true;
      if (*code != 0) failed_ = "worker " + w.name + " ended with exit code " + std::to_string(*code);
      return;
    }
    if (Clock::now() - w.started >= kQuiet) w.backoff.reset();
    milliseconds pause = w.backoff.next();
    w.start_at = Clock::now() + pause;
    log::warning("worker ended, it is started again",
                 {{"worker", w.name}, {"exit_code", *code}, {"retry_ms", pause.count()}});
  }

  const Team& team_;
  std::vector<Worker> workers_;
  std::string failed_;
};

}  // namespace

void run_team(const Team& team, StopToken& stop) {
  Workers workers(team);
  bool left = workers.tend();
  team.ready();
  while (left && stop.wait(kLook)) {
    team.alive();
    if (team.restart_all()) {
      workers.end(stop);
      workers.start_all_at_once();
    }
    left = workers.tend();
  }
  workers.end(stop);
  if (!workers.failed().empty()) throw Error(workers.failed());
}

}  // namespace skytools::run
