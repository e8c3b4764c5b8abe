#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/deadline.h"
#include "core/base/stop.h"

namespace skytools::run {

/// What `skytools demo` is asked for.
struct DemoOptions {
  bool keep = false;                             ///< leave servers, workers and tickers running
  milliseconds load = std::chrono::seconds(10);  ///< least time the load runs; it lasts as long as the copies do
  std::filesystem::path folder = {};            ///< where the demo makes its own folder; empty: the usual temporary one
  std::function<void(const std::string&)> say;  ///< gets the story, line by line
};

/// One node as it can be reached while the demo, or what --keep left of it, runs.
struct DemoNode {
  std::string name, conninfo;
};

/// What was compared on all nodes at the same tick.
struct DemoTable {
  std::string name;
  std::int64_t rows = 0;                    ///< on the root
  std::vector<std::string> different = {};  ///< nodes whose rows are not the root's
};

struct DemoReport {
  std::vector<DemoNode> nodes;
  std::vector<DemoTable> tables;
  std::int64_t tick = 0, rows = 0;
  milliseconds copy{0}, catch_up{0};
  std::vector<milliseconds> pauses;  ///< writers were refused for so long, per switchover
  std::filesystem::path folder;
  std::vector<pid_t> kept_pids;  ///< with `keep`: what runs on, workers before servers
  bool equal() const;
};

/// The titles of the steps, in order.
std::vector<std::string> demo_steps();

/// Builds throwaway servers with a root, a branch and a leaf from this program and PostgreSQL's, replicates a running
/// load, compares, makes the branch the root and back while clients write, and compares again. Everything is gone
/// afterwards, whatever happens, unless `keep` and all steps ran. Call it in the main thread.
/// @throws Error  naming the step, with the last lines of the log of what failed; Stopped
DemoReport run_demo(const DemoOptions& options, const StopToken& stop);

}  // namespace skytools::run
