#include "cmd/node_status.h"

#include <unistd.h>

#include <algorithm>
#include <ostream>

#include "cmd/node_commands.h"
#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/base/urlcode.h"
#include "core/ui/terminal.h"

namespace skytools::cmd {

namespace {

constexpr milliseconds kNodeLimit(10'000);  ///< for the answers of one node
constexpr double kLateLag = 60;             ///< s; red on a terminal
/// s; each level of the cascade publishes its watermark every 5 minutes, so this much is no sign of trouble.
constexpr double kStaleWatermark = 1800;

std::string seconds_text(std::optional<double> seconds) {
  return seconds ? format_duration(milliseconds(static_cast<std::int64_t>(*seconds) * 1000)) : "?";
}

std::string lag_line(const cascade::NodeStatus& node) {
  std::string text = "Lag: " + seconds_text(node.lag_seconds);
  if (node.lag_seconds.value_or(0) > kLateLag) text = ui::red(text);
  text += ", Tick: " + (node.tick ? std::to_string(*node.tick) : "?");
  if (node.paused) text += ", PAUSED";
  if (!node.uptodate) text += ", NOT UPTODATE";
  if (node.closed) text += ", CLOSED FOR WRITES";
  return text;
}

std::string worker_line(const cascade::NodeStatus& node) {
  std::string text = "Worker: " + std::string(to_string(node.worker));
  return node.last_seen ? text + ", last seen " + seconds_text(node.last_seen) + " ago" : text;
}

/// On the root's lines: rotation waits for the watermark on all nodes.
std::string watermark_line(const std::vector<cascade::NodeStatus>& nodes, const cascade::NodeStatus& root, bool all) {
  if (root.type != "root" || !root.watermark) return "";
  if (!all && root.watermark_age.value_or(0) < kStaleWatermark) return "";
  std::string text = "Watermark: " + std::to_string(*root.watermark) + ", " + seconds_text(root.watermark_age) + " old";
  std::string holder = cascade::watermark_holder(nodes);
  return holder.empty() ? text : text + ", held by " + holder;
}

/// Is there a later node at this depth before the tree goes up again?
bool has_sibling_below(const std::vector<int>& depth, std::size_t i, int level) {
  for (std::size_t k = i + 1; k < depth.size() && depth[k] >= level; ++k)
    if (depth[k] == level) return true;
  return false;
}

void print_tree(std::ostream& out, const std::vector<cascade::NodeStatus>& nodes, bool compact, bool all) {
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
    auto lines = info_lines(nodes[i], all);
    if (auto line = watermark_line(nodes, nodes[i], all); !line.empty()) lines.push_back(line);
    if (compact) {
      head.resize(std::max(head.size() + 2, kCompactColumn), ' ');
      out << head << join(lines, "  ") << '\n';
      continue;
    }
    stem.resize(std::max(stem.size() + 2, kInfoColumn), ' ');
    out << head << '\n';
    for (auto& line : lines) out << stem << line << '\n';
  }
}

std::vector<cascade::NodeStatus> ask(Context& context, std::string& local_name) {
  std::string queue = context.queue();
  auto local = local_node(context);
  {
    pg::Transaction tx(*local, pg::Mode::autocommit);
    if (auto info = cascade::node_info(tx, queue)) local_name = info->name;
  }
  milliseconds limit = context.settings.has("timeout") ? context.settings.duration("timeout") : kNodeLimit;
  return cascade::set_status(*local, queue, limit, context.stop);
}

ui::Table json_table(const std::vector<cascade::NodeStatus>& nodes) {
  std::vector<ui::Column> columns;
  for (auto& [key, cell] : node_members({})) columns.emplace_back(key, key);
  ui::Table table(columns);
  for (auto& node : nodes) {
    ui::Row row;
    for (auto& [key, cell] : node_members(node)) row.push_back(cell);
    table.add(row);
  }
  return table;
}

/// One look, or one after another until a stop under --watch: on a terminal each replaces the one before, and JSON is
/// one array a line.
int look(Context& context, void (*print)(Context&, const std::vector<cascade::NodeStatus>&, const std::string& local)) {
  bool again = context.settings.has("watch");
  milliseconds pause = again ? context.settings.duration("watch") : milliseconds(0);
  if (again && pause < milliseconds(100)) throw UsageError("--watch: at least 100ms");
  bool redraw = again && !context.json && ui::is_terminal(STDOUT_FILENO);
  for (bool first = true;; first = false) {
    std::string local_name;
    auto nodes = ask(context, local_name);
    if (redraw)
      context.out << "\x1b[H\x1b[2Jevery " << format_duration(pause) << "; Ctrl-C ends\n\n";
    else if (!first && !context.json)
      context.out << '\n';
    if (context.json && again)
      context.out << json_table(nodes).json().text << '\n';
    else if (context.json)
      json_table(nodes).print_json(context.out);
    else
      print(context, nodes, local_name);
    context.out.flush();
    if (!again || !context.out || !context.stop.wait(pause)) return 0;
  }
}

bool verbose(const Context& context) { return context.settings.integer("verbose") > 0; }

void print_status(Context& context, const std::vector<cascade::NodeStatus>& nodes, const std::string& local) {
  context.out << "Queue: " << context.queue() << "   Local node: " << local << "\n\n";
  print_tree(context.out, nodes, context.settings.boolean("compact"), verbose(context));
}

void print_rows(Context& context, const std::vector<cascade::NodeStatus>& nodes, const std::string&) {
  ui::Table table({"Node", "Type", "Provider", "Worker", "Tick", "Lag", "Events behind", "Tables", "State", "Error"});
  for (auto& n : nodes) {
    bool answered = !n.type.empty() && n.type != "dead";
    std::string tables =
        std::to_string(n.tables_ok) + "/" + std::to_string(n.tables_half) + "/" + std::to_string(n.tables_ignored);
    std::string state = n.paused ? "paused" : n.uptodate ? "ok" : "not uptodate";
    ui::Cell lag;
    if (n.lag_seconds) lag = seconds_text(n.lag_seconds);
    table.add({n.name, n.type.empty() ? "no answer" : n.type, n.provider.empty() ? ui::Cell() : ui::Cell(n.provider),
               answered ? ui::Cell(to_string(n.worker)) : ui::Cell(), n.tick, lag, n.lag_events,
               n.has_tables ? ui::Cell(tables) : ui::Cell(), answered ? ui::Cell(state) : ui::Cell(),
               n.errors.empty() ? ui::Cell() : ui::Cell(n.errors[0].substr(0, n.errors[0].find('\n')))});
  }
  table.print(context.out);
}

}  // namespace

std::vector<std::string> info_lines(const cascade::NodeStatus& node, bool all) {
  std::vector<std::string> lines;
  if (!node.type.empty() && node.type != "dead") {
    if (node.has_tables)
      lines.push_back("Tables: " + std::to_string(node.tables_ok) + "/" + std::to_string(node.tables_half) + "/" +
                      std::to_string(node.tables_ignored));
    lines.push_back(lag_line(node));
    if (all || node.worker == cascade::WorkerSign::missing) lines.push_back(worker_line(node));
    for (auto& field : decode_row(node.attributes))
      lines.push_back("Attr: " + field.name + "=" + field.value.value_or(""));
    std::vector<std::string> versions;
    for (auto& [name, version] : node.versions) versions.push_back(name + " " + version);
    if (all) {
      for (auto& copy : node.copies) lines.push_back("Copy: " + copy.table + " " + copy.state);
      lines.push_back("Versions: " + join(versions, ", "));
    }
  }
  for (auto& error : node.errors) lines.push_back("ERR: " + error.substr(0, error.find('\n')));
  return lines;
}

std::vector<std::pair<std::string, ui::Cell>> node_members(const cascade::NodeStatus& n) {
  auto or_none = [](const std::string& text) { return text.empty() ? ui::Cell() : ui::Cell(text); };
  ui::Table copies({"table", "state"});
  for (auto& copy : n.copies) copies.add({copy.table, copy.state});
  std::vector<std::pair<std::string, ui::Cell>> versions, attributes;
  for (auto& [name, version] : n.versions) versions.emplace_back(name, version);
  for (auto& field : decode_row(n.attributes)) attributes.emplace_back(field.name, field.value);
  return {{"node", n.name},
          {"type", or_none(n.type)},
          {"provider", or_none(n.provider)},
          {"dead", n.dead},
          {"paused", n.paused},
          {"closed", n.closed},
          {"uptodate", n.uptodate},
          {"tick", n.tick},
          {"lag", n.lag_seconds},
          {"lag_events", n.lag_events},
          {"worker_name", or_none(n.worker_name)},
          {"worker", std::string(to_string(n.worker))},
          {"last_seen", n.last_seen},
          {"tables_ok", n.tables_ok},
          {"tables_half", n.tables_half},
          {"tables_ignored", n.tables_ignored},
          {"copies", copies.json()},
          {"watermark", n.watermark},
          {"watermark_age", n.watermark_age},
          {"slowest_consumer", or_none(n.slowest_consumer)},
          {"attributes", ui::Json{ui::json_object(attributes)}},
          {"versions", ui::Json{ui::json_object(versions)}},
          {"errors", n.errors}};
}

int node_tree(Context& context) { return look(context, print_status); }
int set_status(Context& context) { return look(context, print_rows); }

}  // namespace skytools::cmd
