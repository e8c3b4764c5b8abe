#include <algorithm>
#include <ostream>

#include "cmd/node_commands.h"
#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/cascade/change_provider.h"
#include "core/cascade/failover.h"
#include "core/cascade/resurrect.h"
#include "core/cascade/switchover.h"
#include "core/cascade/takeover.h"
#include "core/log/log.h"
#include "core/pgq/event.h"

namespace skytools::cmd {

namespace {

std::string required(const Context& context, const char* key, const std::string& question) {
  if (!context.settings.has(key)) throw UsageError(question);
  return context.settings.text(key);
}

cascade::Move read_move(const Context& context) {
  cascade::Move move;
  move.to = required(context, "provider", "which node shall be the provider? name it with --provider NODE");
  if (context.settings.has("consumer")) move.consumer = context.settings.text("consumer");
  move.force = context.settings.boolean("force");
  if (context.settings.has("timeout")) move.limit = context.settings.duration("timeout");
  return move;
}

std::vector<std::string> dead_nodes(const Context& context) {
  return context.settings.has("dead") ? context.settings.list("dead") : std::vector<std::string>{};
}

void print_json(Context& context, const std::vector<std::pair<std::string, ui::Cell>>& members) {
  if (context.json) context.out << ui::json_object(members) << '\n';
}

int run_switchover(Context& context, cascade::Net& net, const cascade::Switchover& request) {
  cascade::Steps steps(net, context.dry_run);
  auto result = cascade::switchover(net, steps, hooks_of(context), request);
  bool already = result.from.empty();
  if (context.dry_run) {
    print_steps(context, steps);
    for (auto& gate : result.unpassed) log::warning("gate not passed: " + gate);
    log::info(result.reopened ? request.to + " is the root and would take writes again"
              : already       ? request.to + " is the root already"
                              : "write pause: about " + (result.pause ? format_duration(*result.pause) : "?"));
    if (!result.unpassed.empty() && !request.force)
      throw Refused("gates not passed: " + join(result.unpassed, "; ") + " (--force overrides)");
    return 0;
  }
  std::optional<std::string> old_root;
  std::optional<std::int64_t> last_tick;
  if (!already) old_root = result.from, last_tick = result.last_tick;
  print_json(context,
             {{"root", request.to}, {"old_root", old_root}, {"last_tick", last_tick}, {"write_pause", result.pause}});
  log::info(result.reopened ? "node " + request.to + " is the root and takes writes again"
            : already       ? "node " + request.to + " is the root already"
                            : "node " + request.to + " is the root, " + result.from + " its branch" +
                            (result.pause ? "; write pause " + format_duration(*result.pause) : ""));
  return 0;
}

/// What went on without the rest cannot be called equal: exit 3.
void tell_stranded(const cascade::FailoverResult& result) {
  if (result.stranded.empty()) return;
  std::vector<std::string> names;
  for (auto& node : result.stranded) names.push_back(node.node + " (tick " + std::to_string(node.position) + ")");
  throw DifferenceFound("the failover is done, but these have more than the new root's tick " +
                        std::to_string(result.last_tick) + " and were left alone: " + join(names, ", ") +
                        "; save what you need of them, then drop-node and create them anew");
}

int run_failover(Context& context, cascade::Net& net, const cascade::Failover& request) {
  cascade::Steps steps(net, context.dry_run);
  auto result = cascade::failover(net, steps, hooks_of(context), request);
  print_steps(context, steps);
  std::vector<std::string> stranded;
  for (auto& node : result.stranded) stranded.push_back(node.node);
  std::optional<std::int64_t> last_tick;
  std::optional<std::string> time;
  if (!result.last_tick_time.empty()) last_tick = result.last_tick, time = pgq::iso_time(result.last_tick_time);
  if (!context.dry_run)
    print_json(context, {{"node", request.to},
                         {"promoted", result.promoted},
                         {"dead", result.dead},
                         {"last_tick", last_tick},
                         {"last_tick_time", time},
                         {"moved", result.moved},
                         {"stranded", stranded}});
  if (result.promoted) {
    log::info((context.dry_run ? "would be the root: " : "node " + request.to + " is the root: ") +
              "everything up to tick " + std::to_string(result.last_tick) + " of " + result.last_tick_time + " is " +
              (context.dry_run ? "there" : "kept"));
    log::warning("lost is what was committed on " + join(result.dead, ", ") + " after " + result.last_tick_time +
                 "; if its disks live, resurrect there writes it to a file");
  }
  if (!result.moved.empty()) log::info("nodes with a new provider: " + join(result.moved, ", "));
  tell_stranded(result);
  return 0;
}

}  // namespace

int change_provider(Context& context) {
  auto move = read_move(context);
  auto net = changing_net_of(context);
  move.node = context.settings.has("node") ? context.settings.text("node") : net.local_name();
  cascade::Steps steps(net, context.dry_run);
  net.survey();
  bool changed = cascade::change_provider(net, steps, hooks_of(context), move);
  print_steps(context, steps);
  if (context.dry_run) return 0;
  std::string who = move.consumer.empty() ? "node " + move.node : "consumer " + move.consumer + " of " + move.node;
  log::info(who + " reads from " + move.to + (changed ? "" : " already"));
  return 0;
}

int switchover(Context& context) {
  cascade::Switchover request{.to = required(context, "to", "which node shall be the root? name it with --to NODE"),
                              .all = context.settings.boolean("all"),
                              .force = context.settings.boolean("force")};
  if (context.settings.has("timeout")) request.limit = context.settings.duration("timeout");
  auto net = changing_net_of(context);
  context.confirm("make " + request.to + " the root of queue " + net.queue());
  return run_switchover(context, net, request);
}

int failover(Context& context) {
  cascade::Failover request{.to = required(context, "to", "which node shall take over? name it with --to NODE"),
                            .dead = dead_nodes(context),
                            .force = context.settings.boolean("force")};
  if (context.settings.has("timeout")) request.limit = context.settings.duration("timeout");
  auto net = changing_net_of(context);
  context.confirm("let " + request.to + " take over from dead nodes of queue " + net.queue());
  return run_failover(context, net, request);
}

int takeover(Context& context) {
  const std::string& old = context.args[0];
  bool force = context.settings.boolean("force"), all = context.settings.boolean("all");
  auto dead = dead_nodes(context);
  bool is_dead = context.settings.boolean("dead_root") || context.settings.boolean("dead_branch") ||
                 std::find(dead.begin(), dead.end(), old) != dead.end();
  auto net = changing_net_of(context);
  if (old == net.local_name()) {
    log::info("node " + old + " is this node: nothing to do");
    return 0;
  }
  context.confirm("let " + net.local_name() + " take over from " + old);
  if (is_dead) {
    dead.push_back(old);
    return run_failover(context, net, {.to = net.local_name(), .dead = dead, .force = force});
  }
  net.survey();
  if (!net.peer(old).info)
    throw Error("node " + old + " does not answer: " + net.peer(old).problem +
                "; if it is dead, say so with --dead-root or --dead-branch");
  if (net.peer(old).is(cascade::NodeType::root) || net.peer(net.local_name()).is(cascade::NodeType::root))
    return run_switchover(context, net, {.to = net.local_name(), .all = all, .force = force});
  cascade::Steps steps(net, context.dry_run);
  cascade::take_branch_over(net, steps, hooks_of(context), old, all, force);
  print_steps(context, steps);
  if (!context.dry_run) log::info("node " + net.local_name() + " has taken over from " + old);
  return 0;
}

int resurrect(Context& context) {
  cascade::Resurrection request;
  if (context.settings.has("lost_events")) request.file = context.settings.text("lost_events");
  if (context.settings.has("timeout")) request.limit = context.settings.duration("timeout");
  auto net = changing_net_of(context);
  context.confirm("bring " + net.local_name() + " back and take its lost events out of queue " + net.queue());
  cascade::Steps steps(net, context.dry_run);
  auto result = cascade::resurrect(net, steps, request);
  print_steps(context, steps);
  if (context.dry_run) return 0;
  if (!result.back) {
    log::info(
        "node " + net.local_name() +
        " is a leaf, which has nothing to take back; if it has lost its provider: change-provider --provider NODE");
    return 0;
  }
  print_json(context, {{"node", net.local_name()},
                       {"provider", result.provider},
                       {"tick", result.tick},
                       {"lost_events", result.lost.events},
                       {"lost_changes", result.lost.changes},
                       {"file", request.file},
                       {"paused", result.paused}});
  log::info("node " + net.local_name() + " is back below " + result.provider + " from tick " +
            std::to_string(result.tick) + " on; " + std::to_string(result.lost.events) + " lost events are in " +
            request.file);
  if (result.paused)
    log::warning("its tables still hold what the set has lost, so its worker is paused: compare the tables with " +
                 request.file + ", then resume " + net.local_name());
  return 0;
}

}  // namespace skytools::cmd
