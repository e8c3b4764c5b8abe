#include "cmd/node_commands.h"
#include "core/londiste/node_hooks.h"
#include "core/schema/state.h"

namespace skytools::cmd {

namespace {

constexpr milliseconds kNodeLimit(10'000);  ///< for connecting to a node, and for each of its answers

bool is_londiste(const Context& context) { return context.command.starts_with("londiste"); }

}  // namespace

cascade::Hooks hooks_of(const Context& context) {
  return is_londiste(context) ? londiste::node_hooks(context.queue()) : cascade::Hooks{};
}

cascade::Net net_of(const Context& context) {
  std::string queue = context.queue(), db = context.db_conninfo();
  {
    pg::Connection c("db", db, {.stop = &context.stop});
    if (is_londiste(context))
      schema::require(c, {"pgq", "pgq_node", "londiste"});
    else
      schema::require(c, {"pgq", "pgq_node"});
  }
  return {db, queue, kNodeLimit, context.stop};
}

void print_steps(Context& context, const cascade::Steps& steps) {
  if (!steps.dry_run()) return;
  ui::Table table({"Node", "Step", "SQL"});
  for (auto& step : steps.told()) table.add({step.node, step.what, step.sql});
  context.print(table);
}

}  // namespace skytools::cmd
