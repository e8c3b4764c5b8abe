#pragma once
#include <atomic>
#include <string>
#include <thread>

#include "tests/support/cluster.h"
#include "tests/support/files.h"

namespace skytools::test {

/// Tables `stock` (inserts, updates, deletes, upserts of the same keys again and again) and `sales` (grows, with a
/// sequence), as the load writes them.
inline constexpr const char* kLoadTables =
    "create table stock (id int primary key, n int not null, note text);"
    "create table sales (id bigserial primary key, stock_id int, at timestamptz default clock_timestamp(), note text);";
inline constexpr const char* kLoadRows =
    "insert into stock select g, 0, repeat('x', g % 50) from generate_series(1, 3000) g;"
    "insert into sales (stock_id) select g from generate_series(1, 3000) g";

/// pgbench writing to kLoadTables from here to stop(), whatever happens to the server meanwhile.
class Load {
 public:
  /// @param script  of pgbench, when it is to write to other tables
  explicit Load(const std::string& conninfo, int transactions_per_second = 300, const std::string& script = "");
  ~Load() { stop(); }
  void stop();                                ///< @throws nothing; the load's own transactions have ended
  int transactions() const { return done_; }  ///< rounds of pgbench that ended well; grows about twice a second

 private:
  void loop(int rate);
  std::string conninfo_;
  TempFile script_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> done_ = 0;
  std::thread thread_;
};

}  // namespace skytools::test
