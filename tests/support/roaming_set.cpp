#include "tests/support/roaming_set.h"

#include <doctest/doctest.h>

#include "core/base/error.h"

namespace skytools::test {

RoamingSet::RoamingSet(std::vector<NodePlan> nodes) : plan(nodes), c(std::move(nodes), false) {
  std::vector<std::string> with_queue;
  for (auto& node : plan)
    if (!node.name.starts_with("leaf")) with_queue.push_back(node.name);
  c.start_ticker(with_queue);
  c.everywhere(kRoamingTables);
  c.query("root", kRoamingRows);
  c.start_all();
  c.add_tables({"ledger", "account"});
  c.sync_all();
}

std::vector<std::string> RoamingSet::conninfos(const std::vector<std::string>& nodes) const {
  std::vector<std::string> out;
  for (auto& node : nodes) out.push_back(c.conninfo(node));
  return out;
}

std::vector<std::string> RoamingSet::role_args(const std::string& node, std::vector<std::string> args) const {
  args.insert(args.begin(), "londiste");
  args.insert(args.end(), {"--db", c.conninfo(node), "-Q", "set", "--yes"});
  return args;
}

std::string RoamingSet::types() const {
  std::string all;
  const char* kSql =
      "select node_name || ' < ' || case node_type when 'root' then node_name else provider_node end"
      " from pgq_node.get_node_info('set')";
  for (auto& node : plan) try {
      all += c.query(node.name, kSql) + "; ";
    } catch (const Error&) {
      all += node.name + " is dead; ";
    }
  return all;
}

void RoamingSet::expect_equal(const RoamingLoad& load, std::vector<std::string> nodes,
                              const std::set<std::int64_t>& lost) {
  if (nodes.empty())
    for (auto& node : plan) nodes.push_back(node.name);
  std::int64_t tick = c.tick();
  for (auto& node : nodes) {
    INFO(node);
    bool there = eventually(std::chrono::seconds(30), [&] { return c.position(node) >= tick; });
    CHECK_MESSAGE(there, "at " << c.position(node) << " of " << tick << ": " << c.error(node));
    CHECK(load.verify(c.conninfo(node), lost) == "");
    // What went wrong on the way is forgotten with the next look at the node's state.
    bool well = eventually(std::chrono::seconds(10), [&] { return c.error(node).empty(); });
    CHECK_MESSAGE(well, c.error(node));
  }
}

}  // namespace skytools::test
