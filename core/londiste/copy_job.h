#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "core/base/stop.h"
#include "core/londiste/applier.h"
#include "core/londiste/table.h"

namespace skytools::londiste {

struct CopyJobSettings {
  std::string db, queue, worker;  ///< local node, its queue and the name of its worker
  std::string table;              ///< global name
  std::string remote_extra;       ///< appended to the source's connect string
  ApplyLimits limits;
};

/// The initial copy of one table: its own thread and connection pair, from `in-copy` to the hand-over to the main
/// worker. All state is in the database, so a new job carries on where a killed one stopped.
class CopyJob {
 public:
  explicit CopyJob(CopyJobSettings settings);
  ~CopyJob();  ///< cancels and joins
  CopyJob(const CopyJob&) = delete;
  CopyJob& operator=(const CopyJob&) = delete;
  bool finished() const noexcept { return finished_; }
  void cancel() noexcept { stop_.cancel(); }

 private:
  struct Session;
  void run();

  CopyJobSettings settings_;
  StopToken stop_;
  std::atomic<bool> finished_ = false;
  std::thread thread_;
};

/// Where a table's copy reads: the worker's provider, as name and location. @throws Error  when another node is asked
/// for
std::pair<std::string, std::string> copy_source(pg::Transaction& tx, const std::string& queue, const Table& table);

/// Takes a copy consumer off the source's queue and the local node. Names that are not there are fine.
void remove_copy_consumer(pg::Connection& source, pg::Connection& target, const std::string& queue,
                          const std::string& consumer);

}  // namespace skytools::londiste
