#include <algorithm>
#include <ostream>

#include "cmd/londiste_commands.h"
#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/cascade/create.h"
#include "core/cascade/status.h"
#include "core/log/log.h"
#include "core/londiste/registration.h"
#include "core/schema/state.h"

namespace skytools::cmd {

namespace {

constexpr milliseconds kNodeLimit(10'000);  ///< for the answers of one node to `status`

std::string job_or(const Context& context, const std::string& fallback) {
  return context.settings.has("job") ? context.settings.text("job") : fallback;
}

void require_schemas(const Context& context) {
  pg::Connection c("db", context.db_conninfo(), {.stop = &context.stop});
  schema::require(c, {"pgq", "pgq_node", "londiste"});
}

int create_node(Context& context, cascade::NodeType type) {
  cascade::NewNode node{.type = type,
                        .queue = context.queue(),
                        .name = context.args[0],
                        .db = context.db_conninfo(),
                        .location = context.args.size() > 1 ? context.args[1] : context.db_conninfo(),
                        .provider = {},
                        .worker = {}};
  if (node.name.empty()) throw UsageError("the node needs a name");
  node.worker = job_or(context, node.queue + "_" + node.name);
  if (type != cascade::NodeType::root) {
    if (!context.settings.has("provider"))
      throw UsageError("where does the node read from? name its provider with --provider CONNINFO");
    node.provider = context.settings.text("provider");
  }
  if (type == cascade::NodeType::leaf) node.combined = context.settings.text("merge");
  if (type == cascade::NodeType::branch) node.sync_watermark = context.settings.list("sync_watermark");
  if (node.location.empty()) throw UsageError("how do other nodes reach this database? give PUBLIC or --db");
  require_schemas(context);
  cascade::NodeCreator creator(node, context.stop);
  bool needed = creator.check();
  if (!needed)
    log::info("node " + node.name + " (" + std::string(to_string(type)) + ") of queue " + node.queue +
              " is there already");
  for (auto& step : needed ? creator.plan() : std::vector<cascade::PlanStep>{}) {
    if (context.dry_run) {
      context.out << step.text << '\n';
      continue;
    }
    log::info(step.text);
    step.run();
  }
  if (context.dry_run) return 0;
  // Also after a crash between the steps: the set's lists of tables and sequences come along.
  londiste::Set set(node.db, node.queue, context.stop);
  if (!set.root()) londiste::equalise_lists(set);
  if (needed)
    log::info("node " + node.name + " of queue " + node.queue + " created (" + std::string(to_string(type)) + ")");
  return 0;
}

std::string lag_text(const cascade::NodeStatus& node) {
  std::string text = "Lag: ";
  text += node.lag_seconds ? format_duration(milliseconds(static_cast<std::int64_t>(*node.lag_seconds) * 1000)) : "?";
  text += ", Tick: " + (node.tick ? std::to_string(*node.tick) : "?");
  if (node.paused) text += ", PAUSED";
  if (!node.uptodate) text += ", NOT UPTODATE";
  return text;
}

std::vector<std::string> info_lines(const cascade::NodeStatus& node) {
  std::vector<std::string> lines;
  if (!node.type.empty() && node.type != "dead") {
    if (node.has_tables)
      lines.push_back("Tables: " + std::to_string(node.tables_ok) + "/" + std::to_string(node.tables_half) + "/" +
                      std::to_string(node.tables_ignored));
    lines.push_back(lag_text(node));
  }
  for (auto& error : node.errors) lines.push_back("ERR: " + error.substr(0, error.find('\n')));
  return lines;
}

/// Is there a later node at this depth before the tree goes up again?
bool has_sibling_below(const std::vector<int>& depth, std::size_t i, int level) {
  for (std::size_t k = i + 1; k < depth.size() && depth[k] >= level; ++k)
    if (depth[k] == level) return true;
  return false;
}

void print_tree(std::ostream& out, const std::vector<cascade::NodeStatus>& nodes, bool compact) {
  constexpr std::size_t kInfoColumn = 32, kCompactColumn = 40;
  auto depth = cascade::depths(nodes);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    std::string stem, head;
    for (int level = 1; level <= depth[i]; ++level) {
      head = stem + "  +--: ";
      stem += has_sibling_below(depth, i, level) ? "  |  " : "     ";
    }
    head += nodes[i].name + " (" + (nodes[i].type.empty() ? "no answer" : nodes[i].type) + ")";
    stem += has_sibling_below(depth, i, depth[i] + 1) ? "  |" : "   ";
    auto lines = info_lines(nodes[i]);
    if (compact) {
      head.resize(std::max(head.size() + 2, kCompactColumn), ' ');
      out << head;
      for (std::size_t k = 0; k < lines.size(); ++k) out << (k ? "  " : "") << lines[k];
      out << '\n';
      continue;
    }
    stem.resize(std::max(stem.size() + 2, kInfoColumn), ' ');
    out << head << '\n';
    for (auto& line : lines) out << stem << line << '\n';
  }
}

}  // namespace

int create_root(Context& context) { return create_node(context, cascade::NodeType::root); }
int create_branch(Context& context) { return create_node(context, cascade::NodeType::branch); }
int create_leaf(Context& context) { return create_node(context, cascade::NodeType::leaf); }

int londiste_status(Context& context) {
  std::string queue = context.queue();
  pg::Connection local("db", context.db_conninfo(), {.stop = &context.stop});
  schema::require(local, {"pgq", "pgq_node"});
  milliseconds limit = context.settings.has("timeout") ? context.settings.duration("timeout") : kNodeLimit;
  auto nodes = cascade::set_status(local, queue, limit, context.stop);
  if (context.json) {
    ui::Table table({"node", "type", "provider", "dead", "paused", "uptodate", "tick", "lag", "lag_events", "tables_ok",
                     "tables_half", "tables_ignored", "errors"});
    for (auto& n : nodes)
      table.add({n.name, n.type.empty() ? ui::Cell() : ui::Cell(n.type),
                 n.provider.empty() ? ui::Cell() : ui::Cell(n.provider), n.dead, n.paused, n.uptodate, n.tick,
                 n.lag_seconds, n.lag_events, n.tables_ok, n.tables_half, n.tables_ignored, n.errors});
    context.print(table);
    return 0;
  }
  std::string local_name;
  {
    pg::Transaction tx(local, pg::Mode::autocommit);
    if (auto info = cascade::node_info(tx, queue)) local_name = info->name;
  }
  context.out << "Queue: " << queue << "   Local node: " << local_name << "\n\n";
  print_tree(context.out, nodes, context.settings.boolean("compact"));
  return 0;
}

}  // namespace skytools::cmd
