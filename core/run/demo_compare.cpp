#include "core/run/demo_compare.h"

#include <memory>

#include "core/base/error.h"
#include "core/base/quote.h"
#include "core/pg/transaction.h"
#include "core/run/demo_data.h"

namespace skytools::run {

namespace {

constexpr int kAttempts =
    20;  ///< an idle queue still gets a tick now and then; a snapshot before and one after it differ

/// The text of a value depends on these.
constexpr const char* kSettings =
    "set local datestyle = 'ISO'; set local timezone = 'UTC'; set local intervalstyle = 'postgres'; set local "
    "bytea_output = 'hex';"
    "set local extra_float_digits = 3; set local client_encoding = 'UTF8'";

/// The root's newest tick, elsewhere the last one its worker has finished.
std::int64_t tick_of(pg::Transaction& tx) {
  return tx.value<std::int64_t>(
      "select coalesce(case when n.node_type = 'root' then q.last_tick_id else n.worker_last_tick end, 0)"
      "  from pgq_node.get_node_info($1) as n left join pgq.get_queue_info($1) as q on true",
      kDemoQueue);
}

struct Content {
  std::int64_t rows;
  std::string checksum;
};

Content content_of(pg::Transaction& tx, const std::string& table) {
  auto [rows, checksum] = tx.one<std::int64_t, std::string>(
      "select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text from only " +
      TableName::parse(table).sql() + " as t");
  return {rows, checksum};
}

/// A node in one snapshot.
struct View {
  pg::Connection connection;
  pg::Transaction tx;
  std::int64_t tick;
  View(const DemoNode& node, const StopToken& stop)
      : connection(node.name, node.conninfo, {.stop = &stop}), tx(connection, pg::Mode::repeatable_read) {
    tx.script(kSettings);
    tick = tick_of(tx);
  }
};

bool compare_once(DemoReport& report, const StopToken& stop) {
  std::vector<std::unique_ptr<View>> views;
  for (auto& node : report.nodes) {
    views.push_back(std::make_unique<View>(node, stop));
    if (views.back()->tick != views[0]->tick) return false;
  }
  report.tick = views[0]->tick;
  report.tables.clear();
  report.rows = 0;
  pg::Result names =
      views[0]->tx.exec("select table_name from londiste.get_table_list($1) where local order by 1", kDemoQueue);
  for (int i = 0; i < names.rows(); ++i) {
    DemoTable table{.name = std::string(names.text(i, 0))};
    Content root = content_of(views[0]->tx, table.name);
    table.rows = root.rows;
    report.rows += root.rows;
    for (std::size_t k = 1; k < views.size(); ++k) {
      Content here = content_of(views[k]->tx, table.name);
      if (here.rows != root.rows || here.checksum != root.checksum) table.different.push_back(report.nodes[k].name);
    }
    report.tables.push_back(std::move(table));
  }
  return true;
}

}  // namespace

std::int64_t common_tick(const std::vector<DemoNode>& nodes, const StopToken& stop) {
  std::int64_t tick = 0;
  for (auto& node : nodes) {
    pg::Connection c(node.name, node.conninfo, {.stop = &stop});
    pg::Transaction tx(c, pg::Mode::autocommit);
    std::int64_t here = tick_of(tx);
    if (tick && here != tick) return 0;
    tick = here;
  }
  return tick;
}

std::int64_t request_tick(const DemoNode& root, const StopToken& stop) {
  pg::Connection c(root.name, root.conninfo, {.stop = &stop});
  pg::Transaction tx(c, pg::Mode::autocommit);
  return tx.value<std::int64_t>("select pgq.force_tick($1)", kDemoQueue);
}

void compare(DemoReport& report, const StopToken& stop) {
  for (int i = 0; i < kAttempts; ++i) {
    if (compare_once(report, stop)) {
      if (report.tables.empty()) throw Error("there are no tables to compare");
      return;
    }
    if (!stop.wait(milliseconds(200))) throw Stopped();
  }
  throw Error("the nodes do not come to the same tick");
}

bool DemoReport::equal() const {
  for (auto& t : tables)
    if (!t.different.empty()) return false;
  return !tables.empty();
}

}  // namespace skytools::run
