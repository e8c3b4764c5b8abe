#include "tests/support/kill_matrix.h"

#include <doctest/doctest.h>

#include <csignal>

#include "tests/support/cascade.h"
#include "tests/support/load.h"

namespace skytools::test {

namespace {

using std::chrono::seconds;

void copy_again(Cascade& c, const std::string& node) {
  c.query(node,
          "select londiste.local_set_table_state('set', t, null, null) from unnest(array['public.stock', "
          "'public.sales']) t");
}

void kill_once(Cascade& c, const std::string& node, const KillPoint& point, bool copying) {
  INFO(node << " killed at " << point.name << " pass " << point.pass);
  c.stop(node);
  Load load(c.conninfo("root"));
  if (copying) copy_again(c, node);
  std::string action = point.name + "=crash@" + std::to_string(point.pass);
  if (!point.with.empty()) action += ";" + point.with;
  Background& doomed = c.start(node, {.env = {{"SKYTOOLS_FAILPOINTS", action}}});
  bool died = eventually(seconds(30), [&] { return !doomed.running(); });
  CHECK_MESSAGE(died, "the point was not reached; log: " << doomed.log());
  if (died)
    CHECK(doomed.wait() == 128 + SIGKILL);
  else
    doomed.kill();
  c.start(node);
  CHECK(eventually(seconds(20), [&] { return load.transactions() >= 2; }));
  load.stop();
  c.sync_all();
  bool settled = eventually(seconds(30), [&] { return c.leftovers().empty(); });
  CHECK_MESSAGE(settled, c.leftovers() << "; log: " << c.worker(node).log());
  c.sync_all();
  CHECK(c.difference({"stock", "sales"}) == "");
  CHECK(c.error(node) == "");
}

}  // namespace

void kill_at(const std::string& node, const std::vector<KillPoint>& points, bool copying) {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere(kLoadTables);
  c.query("root", kLoadRows);
  c.start_all();
  c.add_tables({"stock", "sales"});
  for (auto& point : points) kill_once(c, node, point, copying);
}

}  // namespace skytools::test
