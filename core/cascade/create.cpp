#include "core/cascade/create.h"

#include <algorithm>

#include "core/base/strings.h"
#include "core/base/urlcode.h"
#include "core/cascade/former_name.h"
#include "core/cascade/identity.h"
#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

std::unique_ptr<pg::Connection> open(const std::string& name, const std::string& conninfo, const StopToken& stop) {
  return std::make_unique<pg::Connection>(name, conninfo, pg::ConnectOptions{.stop = &stop});
}

std::optional<NodeInfo> info_at(pg::Connection& c, const std::string& queue) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  return node_info(tx, queue);
}

}  // namespace

NodeCreator::NodeCreator(NewNode node, const StopToken& stop) : node_(std::move(node)), stop_(stop) {
  local_ = open("db", node_.db, stop_);
}

NodeCreator::~NodeCreator() = default;

bool NodeCreator::check() {
  if (auto info = info_at(*local_, node_.queue)) {
    if (info->name == node_.name && info->type == node_.type && info->combined_queue == node_.combined) return false;
    throw Error("[" + local_->label() + "] queue " + node_.queue + " has a node here already: " + info->name + " (" +
                std::string(to_string(info->type)) +
                (info->combined_queue.empty() ? "" : ", merging into " + info->combined_queue) + ")");
  }
  if (!node_.combined.empty()) check_combined();
  check_location();
  if (node_.type != NodeType::root) {
    check_provider();
    root_ = connect_root(*provider_, node_.queue, {.stop = &stop_});
  }
  return true;
}

void NodeCreator::check_combined() {
  if (node_.combined == node_.queue) throw Error("queue " + node_.queue + " cannot be merged into itself");
  auto combined = info_at(*local_, node_.combined);
  if (!combined)
    throw Error("[" + local_->label() + "] there is no node of queue " + node_.combined +
                " to merge into; create its root or branch here first");
  if (combined->type == NodeType::leaf)
    throw Error("[" + local_->label() + "] node " + combined->name + " of queue " + node_.combined +
                " is a leaf, which keeps no events: there is nothing to merge into");
}

void NodeCreator::check_location() {
  std::unique_ptr<pg::Connection> through = open("public location", node_.location, stop_);
  if (!same_database(*local_, *through))
    throw Error("[" + through->label() + "] the public connect string leads to another database than --db");
  warn_if_local_only(node_.location);
}

void NodeCreator::check_provider() {
  provider_ = open("provider", node_.provider, stop_);
  auto info = info_at(*provider_, node_.queue);
  if (!info) throw Error("[" + provider_->label() + "] there is no node of queue " + node_.queue);
  if (info->type == NodeType::leaf)
    throw Error("[" + provider_->label() + "] node " + info->name + " is a leaf and cannot feed others");
  provider_name_ = info->name;
  if (provider_name_ == node_.name)
    throw Error("a node named " + node_.name + " is a member of queue " + node_.queue + " already");
  pg::Transaction tx(*provider_, pg::Mode::autocommit);
  for (auto& member : members(tx, node_.queue))
    if (member.name == node_.name && member.location != node_.location)
      throw Error("a node named " + node_.name + " is a member of queue " + node_.queue + " already");
}

std::vector<PlanStep> NodeCreator::plan() {
  std::vector<PlanStep> steps;
  if (node_.type == NodeType::root) {
    steps.push_back({"create queue " + node_.queue + " and its root node " + node_.name, [this] { create_root(); }});
    return steps;
  }
  if (root_) {
    if (to_hear_of_end(*root_, *provider_, node_.queue, node_.name))
      steps.push_back({"wait until provider " + provider_name_ + " hears of the end of the former node " + node_.name,
                       [this] { await_end(*root_, *provider_, node_.queue, node_.name, Deadline(node_.limit)); }});
    steps.push_back({"register the location of " + node_.name + " at the root", [this] { register_at(*root_); }});
  }
  steps.push_back({"register the location of " + node_.name + " at provider " + provider_name_,
                   [this] { register_at(*provider_); }});
  steps.push_back({"subscribe " + node_.name + " at provider " + provider_name_, [this] { subscribe(); }});
  steps.push_back({"create the local node " + node_.name + " (" + std::string(to_string(node_.type)) + ")",
                   [this] { create_local(); }});
  return steps;
}

void NodeCreator::create_root() {
  pg::Transaction tx(*local_);
  run_command(tx, "pgq_node.register_location($1, $2, $3, false)", {node_.queue, node_.name, node_.location});
  run_command(tx, "pgq_node.create_node($1, 'root', $2, $3, null, null, null)",
              {node_.queue, node_.name, node_.worker});
  tx.commit();
}

void NodeCreator::register_at(pg::Connection& c) {
  pg::Transaction tx(c);
  for (auto& member : members(tx, node_.queue))
    if (member.name == node_.name && member.location == node_.location && !member.dead) return;
  run_command(tx, "pgq_node.register_location($1, $2, $3, false)", {node_.queue, node_.name, node_.location});
  tx.commit();
}

void NodeCreator::subscribe() {
  pg::Transaction tx(*provider_);
  for (auto& subscriber : subscribers(tx, node_.queue))
    if (subscriber.node == node_.name) return;
  run_command(tx, "pgq_node.register_subscriber($1, $2, $3, null)", {node_.queue, node_.name, node_.worker});
  tx.commit();
}

void NodeCreator::create_local() {
  std::vector<Member> all;
  std::optional<std::int64_t> position;
  {
    pg::Transaction tx(*provider_, pg::Mode::autocommit);
    all = members(tx, node_.queue);
    position = pgq::consumer_position(tx, node_.queue, node_.worker);
  }
  if (!position)
    throw Error("[" + provider_->label() + "] worker " + node_.worker + " is not registered on queue " + node_.queue);
  pg::Transaction tx(*local_);
  run_command(tx, "pgq_node.register_location($1, $2, $3, false)", {node_.queue, node_.name, node_.location});
  for (auto& member : all)
    run_command(tx, "pgq_node.register_location($1, $2, $3, $4)",
                {node_.queue, member.name, member.location, member.dead});
  run_command(tx, "pgq_node.create_node($1, $2, $3, $4, $5, $6, $7)",
              {node_.queue, to_string(node_.type), node_.name, node_.worker, provider_name_, *position,
               node_.combined.empty() ? std::nullopt : std::optional(node_.combined)});
  if (!node_.sync_watermark.empty())
    run_command(tx, "pgq_node.set_node_attrs($1, $2)",
                {node_.queue, encode_row({{"sync_watermark", join(node_.sync_watermark, ",")}})});
  tx.commit();
}

}  // namespace skytools::cascade
