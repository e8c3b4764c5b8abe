// Two shards merged into a combined root that changes places with its branch while both shards are written to.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "core/base/error.h"
#include "core/base/stop.h"
#include "core/pg/transaction.h"
#include "tests/support/merge.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::Merge;
using test::Net;

namespace {

/// Inserts, updates and deletes in one shard, until it goes.
class ShardLoad {
 public:
  ShardLoad(const std::string& conninfo, int first_id) : thread_([=, this] { run(conninfo, first_id); }) {}
  ~ShardLoad() { stop(); }
  void stop() {
    stop_.request();
    if (thread_.joinable()) thread_.join();
  }
  int rounds() const { return rounds_; }

 private:
  void run(const std::string& conninfo, int id) {
    pg::Connection c("shard", conninfo);
    for (; !stop_.requested(); ++id, ++rounds_) {
      pg::Transaction tx(c);
      tx.exec("insert into t values ($1::int, 'new')", id);
      tx.exec("update t set v = v || '.' where id = $1::int - 3", id);
      tx.exec("delete from t where id = $1::int - 7 and id % 2 = 0", id);
      tx.commit();
      stop_.wait(milliseconds(3));
    }
  }
  StopToken stop_;
  std::atomic<int> rounds_ = 0;
  std::thread thread_;
};

}  // namespace

TEST_CASE("the combined root and its branch change places under load, there and back") {
  Merge m;
  m.start_all();
  m.add_table();
  ShardLoad first(m.conninfo("s1"), 1), second(m.conninfo("s2"), 1'000'000);
  for (auto* to : {"mirror", "hub", "mirror", "hub"}) {
    std::string from = std::string(to) == "hub" ? "mirror" : "hub";
    int before = first.rounds() + second.rounds();
    REQUIRE(eventually(seconds(30), [&] { return first.rounds() + second.rounds() > before + 100; }));
    auto done = m.try_run("londiste", from, "all", {"switchover", "--to", Net::node_name(to, "all"), "--yes"});
    REQUIRE_MESSAGE(done.exit == 0, done.err);
    CHECK(m.query(to, "select node_type from pgq_node.node_info where queue_name = 'all'") == "root");
    CHECK(m.query(from, "select node_type from pgq_node.node_info where queue_name = 'all'") == "branch");
  }
  first.stop();
  second.stop();
  m.settle();
  CHECK(m.rows("hub") == m.all_rows());
  CHECK(m.rows("mirror") == m.all_rows());
  for (auto* db : {"hub", "mirror"}) CHECK(m.errors(db) == "");
}

TEST_CASE("queues that merge into one of the two only close a gate") {
  Merge m;
  m.start_all();
  m.add_table();
  m.query("mirror", "update pgq_node.node_info set combined_queue = null where queue_name = 'p2'");
  auto o = m.try_run("londiste", "hub", "all", {"switchover", "--to", Net::node_name("mirror", "all"), "--yes"});
  CHECK(o.exit == 5);
  CHECK_MESSAGE(o.err.find("merged queues: inconsistent targets") != std::string::npos, o.err);
}
