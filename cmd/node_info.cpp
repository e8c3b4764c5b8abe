#include <ostream>

#include "cmd/node_commands.h"
#include "cmd/node_status.h"
#include "core/base/strings.h"
#include "core/base/urlcode.h"
#include "core/cascade/status.h"

namespace skytools::cmd {

namespace {

/// Of the local node only: works whatever happened to the others.
struct Local {
  explicit Local(const Context& context) : queue(context.queue()), connection(local_node(context)) {}
  cascade::NodeInfo info() {
    pg::Transaction tx(*connection, pg::Mode::autocommit);
    auto found = cascade::node_info(tx, queue);
    if (!found) throw Error("[" + connection->label() + "] there is no node of queue " + queue);
    return *found;
  }
  std::vector<cascade::Member> members() {
    pg::Transaction tx(*connection, pg::Mode::autocommit);
    return cascade::members(tx, queue);
  }

  std::string queue;
  std::unique_ptr<pg::Connection> connection;
};

ui::Cell or_none(const std::string& text) { return text.empty() ? ui::Cell() : ui::Cell(text); }

std::string state_text(bool dead, const cascade::NodeInfo& info) {
  std::string text = dead ? "DEAD" : "OK";
  if (info.paused) text += ", PAUSED";
  if (!info.uptodate) text += ", NON-UP-TO-DATE";
  return text;
}

}  // namespace

int node_status(Context& context) {
  Local local(context);
  auto status = cascade::local_status(*local.connection, local.queue);
  if (context.json) {
    Members members = node_members(status);
    members.insert(members.begin() + 1, {"queue", ui::Cell(local.queue)});
    members.emplace_back("subscribers", status.subscribers);
    context.out << ui::json_object(members) << '\n';
    return 0;
  }
  context.out << "Node: " << status.name << " (" << status.type << ")   Queue: " << local.queue << '\n';
  if (!status.provider.empty()) context.out << "Provider: " << status.provider << '\n';
  context.out << "Subscribers: " << (status.subscribers.empty() ? "-" : join(status.subscribers, ", ")) << '\n';
  for (auto& line : info_lines(status, true)) context.out << line << '\n';
  return 0;
}

int node_info(Context& context) {
  Local local(context);
  auto info = local.info();
  std::string location;
  bool dead = false;
  for (auto& member : local.members())
    if (member.name == info.name) location = member.location, dead = member.dead;
  bool root = info.type == cascade::NodeType::root;
  using config::mask_password;
  if (context.json) {
    std::vector<std::pair<std::string, ui::Cell>> attributes;
    for (auto& field : decode_row(info.attributes)) attributes.emplace_back(field.name, field.value);
    context.out << ui::json_object(
                       {{"node", info.name},
                        {"type", std::string(to_string(info.type))},
                        {"queue", local.queue},
                        {"dead", dead},
                        {"paused", info.paused},
                        {"uptodate", info.uptodate},
                        {"worker_name", info.worker_name},
                        {"provider", root ? ui::Cell() : ui::Cell(info.provider_node)},
                        {"local_location", mask_password(context.db_conninfo())},
                        {"public_location", mask_password(location)},
                        {"provider_location", root ? ui::Cell() : ui::Cell(mask_password(info.provider_location))},
                        {"combined_queue", or_none(info.combined_queue)},
                        {"attributes", ui::Json{ui::json_object(attributes)}}})
                << '\n';
    return 0;
  }
  context.out << "Node: " << info.name << "  Type: " << to_string(info.type) << "  Queue: " << local.queue << '\n'
              << "Status: " << state_text(dead, info) << '\n'
              << "Worker: " << info.worker_name << '\n';
  if (!root) context.out << "Provider: " << info.provider_node << '\n';
  context.out << "Connect strings:\n  Local:    " << mask_password(context.db_conninfo())
              << "\n  Public:   " << mask_password(location) << '\n';
  if (!root) context.out << "  Provider: " << mask_password(info.provider_location) << '\n';
  if (!info.combined_queue.empty()) context.out << "Combined queue: " << info.combined_queue << '\n';
  for (auto& field : decode_row(info.attributes))
    context.out << "Attribute: " << field.name << '=' << field.value.value_or("") << '\n';
  return 0;
}

int list_members(Context& context) {
  Local local(context);
  local.info();
  ui::Table table({"Node", "Dead", "Location"});
  for (auto& member : local.members()) table.add({member.name, member.dead, config::mask_password(member.location)});
  context.print(table);
  return 0;
}

int show_consumers(Context& context) {
  Local local(context);
  auto info = local.info();
  pg::Transaction tx(*local.connection, pg::Mode::autocommit);
  ui::Table table({"Consumer", "Worker", "Provider", "Tick", "Paused", "Uptodate", "Error"});
  for (auto& c : cascade::consumers(tx, local.queue))
    table.add({c.name, c.name == info.worker_name, c.provider, c.last_tick, c.paused, c.uptodate, c.error});
  context.print(table);
  return 0;
}

}  // namespace skytools::cmd
