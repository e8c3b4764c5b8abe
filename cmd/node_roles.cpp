#include <ostream>

#include "cmd/node_commands.h"
#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/cascade/change_provider.h"
#include "core/cascade/switchover.h"
#include "core/log/log.h"

namespace skytools::cmd {

namespace {

std::string required(const Context& context, const char* key, const std::string& question) {
  if (!context.settings.has(key)) throw UsageError(question);
  return context.settings.text(key);
}

}  // namespace

int change_provider(Context& context) {
  cascade::Move move;
  move.to = required(context, "provider", "which node shall be the provider? name it with --provider NODE");
  if (context.settings.has("consumer")) move.consumer = context.settings.text("consumer");
  move.force = context.settings.boolean("force");
  auto net = net_of(context);
  move.node = context.settings.has("node") ? context.settings.text("node") : net.local_name();
  if (context.settings.has("timeout")) move.limit = context.settings.duration("timeout");
  cascade::Steps steps(net, context.dry_run);
  net.survey();
  bool changed = cascade::change_provider(net, steps, hooks_of(context), move);
  print_steps(context, steps);
  if (context.dry_run) return 0;
  log::info(changed ? "node " + move.node + " reads from " + move.to
                    : "node " + move.node + " reads from " + move.to + " already");
  return 0;
}

int switchover(Context& context) {
  cascade::Switchover request{.to = required(context, "to", "which node shall be the root? name it with --to NODE"),
                              .all = context.settings.boolean("all"),
                              .force = context.settings.boolean("force")};
  if (context.settings.has("timeout")) request.limit = context.settings.duration("timeout");
  auto net = net_of(context);
  context.confirm("make " + request.to + " the root of queue " + net.queue());
  cascade::Steps steps(net, context.dry_run);
  auto result = cascade::switchover(net, steps, hooks_of(context), request);
  if (context.dry_run) {
    print_steps(context, steps);
    for (auto& gate : result.unpassed) log::warning("gate not passed: " + gate);
    log::info(result.from.empty() ? request.to + " is the root already"
                                  : "write pause: about " + (result.pause ? format_duration(*result.pause) : "?"));
    if (!result.unpassed.empty()) throw Refused("gates not passed: " + join(result.unpassed, "; "));
    return 0;
  }
  if (context.json) {
    std::optional<std::string> old_root;
    std::optional<std::int64_t> last_tick;
    if (!result.from.empty()) old_root = result.from, last_tick = result.last_tick;
    context.out << ui::json_object({{"root", request.to},
                                    {"old_root", old_root},
                                    {"last_tick", last_tick},
                                    {"write_pause", result.pause}})
                << '\n';
  }
  log::info(result.from.empty() ? "node " + request.to + " is the root already"
                                : "node " + request.to + " is the root, " + result.from + " its branch" +
                                      (result.pause ? "; write pause " + format_duration(*result.pause) : ""));
  return 0;
}

}  // namespace skytools::cmd
