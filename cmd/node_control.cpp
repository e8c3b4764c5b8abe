#include "cmd/node_commands.h"
#include "core/cascade/catch_up.h"
#include "core/cascade/pause.h"
#include "core/log/log.h"

namespace skytools::cmd {

namespace {

int set_paused(Context& context, bool paused) {
  auto net = net_of(context);
  net.list();
  cascade::Pause request{.node = context.args.empty() ? net.local_name() : context.args[0], .paused = paused};
  if (context.settings.has("consumer")) request.consumer = context.settings.text("consumer");
  if (context.settings.has("timeout")) request.limit = context.settings.duration("timeout");
  cascade::Steps steps(net, context.dry_run);
  auto done = cascade::pause(net, steps, request);
  std::string result = done.changed ? (paused ? "paused" : "resumed") : (paused ? "already paused" : "already running");
  report(context, steps, done.consumer + " of node " + request.node + ": " + result,
         {{"node", request.node}, {"consumer", done.consumer}, {"paused", paused}, {"result", result}});
  return 0;
}

/// Until the worker at --db has what `of` has now.
int wait_for(Context& context, cascade::Net& net, const std::string& of) {
  if (of == net.local_name()) {
    log::info("node " + of + " is the root itself: nothing to wait for");
    return 0;
  }
  auto tick = cascade::catch_up(net, of, context.deadline());
  cascade::Steps steps(net, false);
  report(context, steps, "node " + net.local_name() + " has tick " + std::to_string(tick) + " of " + of,
         {{"node", net.local_name()}, {"of", of}, {"tick", tick}});
  return 0;
}

}  // namespace

int pause_node(Context& context) { return set_paused(context, true); }
int resume_node(Context& context) { return set_paused(context, false); }

int wait_root(Context& context) {
  auto net = net_of(context);
  net.list();
  return wait_for(context, net, cascade::root_name(net));
}

int wait_provider(Context& context) {
  auto net = net_of(context);
  net.list();
  std::string provider;
  {
    pg::Transaction tx(net.local(), pg::Mode::autocommit);
    provider = cascade::node_info(tx, net.queue())->provider_node;
  }
  return wait_for(context, net, provider);
}

}  // namespace skytools::cmd
