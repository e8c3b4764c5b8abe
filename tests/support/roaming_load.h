#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/deadline.h"
#include "core/base/stop.h"

namespace skytools::test {

/// What RoamingLoad needs on every node; the rows of `account` on the root: kRoamingRows.
inline constexpr const char* kRoamingTables =
    "create table ledger (id bigint primary key, account int, amount int); "
    "create table account (id int primary key, balance bigint not null)";
inline constexpr const char* kRoamingRows = "insert into account select g, 0 from generate_series(1, 50) g";

/// Clients that write to whichever of several databases takes it, and remember what was committed: the oracle of role
/// changes. Each transaction books an amount: one row of `ledger`, one change of `account`.
class RoamingLoad {
 public:
  /// @param databases  connect strings; a client that is refused goes on to the next one
  explicit RoamingLoad(std::vector<std::string> databases, int clients = 3);
  ~RoamingLoad() { stop(); }
  void stop();                   ///< no transaction is under way afterwards
  void hold() { gate_.lock(); }  ///< the same, until go()
  void go() { gate_.unlock(); }
  std::int64_t committed() const { return committed_count_; }
  /// The longest time between two commits, whoever made them, since the last call.
  milliseconds longest_gap();

  /// "" when the node has every committed transaction once and nothing else (but those whose outcome is unknown), and
  /// the balances fit; otherwise what is wrong. After stop() or hold(). @param lost  committed ids that may be missing
  std::string verify(const std::string& conninfo, const std::set<std::int64_t>& lost = {}) const;
  /// Committed ids that the node does not have. After stop() or hold().
  std::set<std::int64_t> missing(const std::string& conninfo) const;

 private:
  void client(int number);
  std::vector<std::string> databases_;
  StopToken stop_;
  std::atomic<std::int64_t> committed_count_ = 0;
  std::shared_mutex gate_;
  mutable std::mutex mutex_;
  std::set<std::int64_t> committed_, unknown_;  ///< unknown: the answer to COMMIT was lost
  Clock::time_point last_commit_ = Clock::now();
  milliseconds gap_{0};
  std::vector<std::thread> threads_;
};

}  // namespace skytools::test
