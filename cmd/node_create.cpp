#include <ostream>

#include "cmd/node_commands.h"
#include "core/base/error.h"
#include "core/cascade/create.h"
#include "core/log/log.h"
#include "core/londiste/registration.h"

namespace skytools::cmd {

namespace {

std::string job_or(const Context& context, const std::string& fallback) {
  return context.settings.has("job") ? context.settings.text("job") : fallback;
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
  if (context.settings.has("timeout")) node.limit = context.settings.duration("timeout");
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
  if (is_londiste(context))
    if (londiste::Set set(node.db, node.queue, context.stop); !set.root()) londiste::equalise_lists(set);
  if (needed)
    log::info("node " + node.name + " of queue " + node.queue + " created (" + std::string(to_string(type)) + ")");
  return 0;
}

}  // namespace

int create_root(Context& context) { return create_node(context, cascade::NodeType::root); }
int create_branch(Context& context) { return create_node(context, cascade::NodeType::branch); }
int create_leaf(Context& context) { return create_node(context, cascade::NodeType::leaf); }

}  // namespace skytools::cmd
