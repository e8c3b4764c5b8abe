#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/run/child.h"
#include "core/run/temp_folder.h"
#include "core/run/throwaway.h"

namespace skytools::run {

/// The servers and processes of a demo, and the folder of their logs. Whatever ends unasked is an error of the next
/// wait. Everything ends and is removed with the object.
class DemoWorld {
 public:
  DemoWorld(const std::filesystem::path& base, bool keep, const StopToken& stop);
  ~DemoWorld();

  ThrowawayServer& add_server();
  /// Runs this program with these arguments to its end. @return what it wrote  @throws Error  with the last line of it
  std::string skytools(const std::vector<std::string>& args);
  /// Starts this program as a process of its own. @param name  of its log file
  void start_skytools(const std::string& name, const std::vector<std::string>& args);
  /// Runs a program of PostgreSQL to its end ("pgbench").
  void postgres_program(const std::string& name, const std::vector<std::string>& args);
  /// Starts one beside us. What it ends with while running is an error.
  void start_load(const std::vector<std::string>& pgbench_args);
  /// Lets the load end by itself. @return transactions done
  std::int64_t end_load();
  /// From now on the load may be refused; wait_refused() waits until all of its clients were. @return transactions done
  void expect_refusal() { refusal_ = true; }
  std::int64_t wait_refused();

  /// Sleeps. @throws Stopped; Error  when a process has ended unasked
  void wait(milliseconds d);
  const std::filesystem::path& folder() const { return folder_.path(); }
  const StopToken& stop() const { return stop_; }
  std::vector<pid_t> pids();  ///< servers last
  /// Everything goes on without us; needs `keep`.
  void release();

 private:
  struct Process {
    std::string name;
    std::unique_ptr<Child> child;
  };
  std::unique_ptr<Child> launch(const std::string& name, std::vector<std::string> argv, bool survives);
  void finish(const std::string& name, std::vector<std::string> argv);
  void check_alive();
  std::int64_t transactions() const;  ///< as the report of the ended load says
  std::filesystem::path log_of(const std::string& name) const { return folder() / (name + ".log"); }
  [[noreturn]] void fail(const std::string& name, int exit_code) const;

  const StopToken& stop_;
  bool keep_;
  TempFolder folder_;
  std::vector<std::unique_ptr<ThrowawayServer>> servers_;
  std::vector<Process> processes_;  ///< tickers and workers
  std::unique_ptr<Child> load_;
  bool refusal_ = false;
};

}  // namespace skytools::run
