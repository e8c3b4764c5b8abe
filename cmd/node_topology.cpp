#include <algorithm>
#include <ostream>

#include "cmd/node_commands.h"
#include "core/base/error.h"
#include "core/cascade/attributes.h"
#include "core/cascade/drop_node.h"
#include "core/cascade/location.h"
#include "core/cascade/rename_node.h"
#include "core/log/log.h"
#include "core/londiste/node_hooks.h"

namespace skytools::cmd {

namespace {

bool force(const Context& context) { return context.settings.boolean("force"); }

/// "key=value" → field.
Field attribute(const std::string& word) {
  auto equals = word.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError("'" + word + "' is no attribute: write key=value; an empty value takes it away");
  return {word.substr(0, equals), word.substr(equals + 1)};
}

int tag(Context& context, bool dead) {
  auto net = changing_net_of(context);
  net.survey(!dead);
  cascade::Steps steps(net, context.dry_run);
  auto changed = cascade::tag(net, steps, context.args, dead, force(context));
  print_steps(context, steps);
  if (context.dry_run) return 0;
  ui::Table table({"node", "dead", "result"});
  for (auto& name : context.args) {
    bool now = std::find(changed.begin(), changed.end(), name) != changed.end();
    table.add({name, dead, now ? "tagged" : "already tagged"});
    log::info("node " + name + " is tagged " + (dead ? "dead" : "alive") + (now ? "" : " already"));
  }
  if (context.json) table.print_json(context.out);
  return 0;
}

}  // namespace

int drop_node(Context& context) {
  cascade::NodeDrop request{.node = context.args[0], .force = force(context)};
  {
    auto net = net_of(context);
    net.list();
    net.peer(request.node);  // a typing mistake is no question
    context.confirm("drop node " + request.node + " of queue " + net.queue());
  }
  auto net = changing_net_of(context);
  net.survey(true);
  cascade::Steps steps(net, context.dry_run);
  // Tables of a dropped node would refuse writes for want of a queue, whichever noun was used.
  bool cleaned = cascade::drop_node(net, steps, londiste::node_hooks(net.queue()), request);
  report(context, steps, "node " + request.node + " dropped" + (cleaned ? "" : "; its own database was not reached"),
         {{"node", request.node}, {"result", "dropped"}, {"database_cleaned", cleaned}});
  return 0;
}

int rename_node(Context& context) {
  cascade::Rename request{.from = context.args[0], .to = context.args[1], .force = force(context)};
  if (context.settings.has("timeout")) request.limit = context.settings.duration("timeout");
  auto net = changing_net_of(context);
  net.survey();
  cascade::Steps steps(net, context.dry_run);
  bool changed = cascade::rename_node(net, steps, request);
  report(context, steps,
         changed ? "node " + request.from + " is called " + request.to + " now"
                 : "there is no node " + request.from + ", but " + request.to + ": taken for renamed already",
         {{"node", request.to}, {"old_name", request.from}, {"result", changed ? "renamed" : "already renamed"}});
  return 0;
}

int set_location(Context& context) {
  cascade::Relocation request{.node = context.args[0], .location = context.args[1], .force = force(context)};
  if (request.location.empty()) throw UsageError("where is the node? give its connect string");
  auto net = changing_net_of(context);
  net.survey();
  cascade::Steps steps(net, context.dry_run);
  bool changed = cascade::set_location(net, steps, request);
  report(context, steps, "location of " + request.node + (changed ? " set" : " is already so everywhere"),
         {{"node", request.node},
          {"location", config::mask_password(request.location)},
          {"result", changed ? "set" : "already set"}});
  return 0;
}

int set_attributes(Context& context) {
  std::string node = context.args[0];
  std::vector<Field> wanted;
  for (std::size_t i = 1; i < context.args.size(); ++i) wanted.push_back(attribute(context.args[i]));
  auto net = changing_net_of(context);
  net.survey();
  cascade::Steps steps(net, context.dry_run);
  bool changed = cascade::set_attributes(net, steps, node, wanted);
  report(context, steps, "attributes of " + node + (changed ? " set" : " are already so"),
         {{"node", node}, {"result", changed ? "set" : "already set"}});
  return 0;
}

int tag_dead(Context& context) { return tag(context, true); }
int tag_alive(Context& context) { return tag(context, false); }

}  // namespace skytools::cmd
