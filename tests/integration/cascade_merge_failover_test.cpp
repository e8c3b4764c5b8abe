// The combined root is lost while both parts are written to: its branch takes over, and has every row of the parts.
#include <doctest/doctest.h>

#include "tests/support/merge.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::kWorker;
using test::Merge;
using test::Net;
using test::Output;

namespace {

/// Nobody gets into the hub's database as long as this lives.
class Dead {
 public:
  explicit Dead(const Merge& m) : m_(m), name_(m.query("hub", "select current_database()")) {
    connections("false");
    m_.query("mirror", "select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + name_ + "'");
  }
  Dead(const Dead&) = delete;
  Dead& operator=(const Dead&) = delete;
  ~Dead() { connections("true"); }

 private:
  void connections(const char* on) { m_.query("mirror", "alter database " + name_ + " allow_connections " + on); }

  const Merge& m_;
  std::string name_;
};

Output admin(const Merge& m, const std::string& db, const std::string& queue, std::vector<std::string> args) {
  return m.try_run("londiste", db, queue, std::move(args));
}

}  // namespace

TEST_CASE("the mirror of a combined root takes over from it, and merges the parts itself") {
  Merge m;
  m.start_all();
  m.add_table();
  auto write = [&](int from, int to) {
    for (auto [shard, base] : {std::pair{"s1", 0}, {"s2", 1000}})
      m.query(shard, "insert into t select " + std::to_string(base) + " + g, 'x' from generate_series(" +
                         std::to_string(from) + ", " + std::to_string(to) +
                         ") g; update t set v = v || '.' where id % 3 = 0");
  };
  write(1, 10);
  m.settle();
  // The mirror lags behind the hub, which has merged more from one part than from the other.
  m.stop("mirror", "all");
  write(11, 20);
  m.reach("hub", "p1", m.tick("s1", "p1"));
  m.stop("hub", "p2");
  write(21, 30);
  m.reach("hub", "p1", m.tick("s1", "p1"));
  for (auto* queue : {"all", "p1"}) m.stop("hub", queue);
  Dead hub(m);
  m.start("mirror", "all", kWorker);

  Output o =
      admin(m, "mirror", "all",
            {"failover", "--to", Net::node_name("mirror", "all"), "--dead", Net::node_name("hub", "all"), "--yes"});
  REQUIRE_MESSAGE(o.exit == 0, o.err);
  CHECK(m.query("mirror", "select node_type from pgq_node.node_info where queue_name = 'all'") == "root");
  write(31, 40);
  for (auto* part : {"p1", "p2"}) m.reach("mirror", part, m.tick(Merge::shard(part), part));
  CHECK(m.rows("mirror") == m.all_rows());
  CHECK(eventually(seconds(20), [&] { return m.errors("mirror").empty(); }));
  // What the mirror merged itself is in its queue for those behind it.
  CHECK(m.query("mirror",
                "select count(*) from pgq.event_template where ev_type like 'I:%' and ev_extra1 = 'public.t'") == "80");
  // The leaves of the dead hub hold the parts' queues until they are given up.
  for (auto* part : {"p1", "p2"}) {
    o = admin(m, Merge::shard(part), part, {"drop-node", Net::node_name("hub", part), "--yes"});
    CHECK_MESSAGE(o.exit == 0, o.err);
  }
}
