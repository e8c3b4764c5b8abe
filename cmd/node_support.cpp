#include <ostream>

#include "cmd/node_commands.h"
#include "core/log/log.h"
#include "core/londiste/node_hooks.h"
#include "core/schema/state.h"

namespace skytools::cmd {

namespace {

constexpr milliseconds kNodeLimit(10'000);  ///< for connecting to a node, and for each of its answers

void require_of(const Context& context, pg::Connection& c) {
  if (is_londiste(context))
    schema::require(c, {"pgq", "pgq_node", "londiste"});
  else
    schema::require(c, {"pgq", "pgq_node"});
}

}  // namespace

bool is_londiste(const Context& context) { return context.command.starts_with("londiste"); }

void require_schemas(const Context& context) {
  pg::Connection c("db", context.db_conninfo(), {.stop = &context.stop});
  require_of(context, c);
}

std::unique_ptr<pg::Connection> local_node(const Context& context) {
  auto c = std::make_unique<pg::Connection>("db", context.db_conninfo(), pg::ConnectOptions{.stop = &context.stop});
  require_of(context, *c);
  return c;
}

cascade::Hooks hooks_of(const Context& context) {
  return is_londiste(context) ? londiste::node_hooks(context.queue()) : cascade::Hooks{};
}

cascade::Net net_of(const Context& context) {
  std::string queue = context.queue(), db = context.db_conninfo();
  require_schemas(context);
  return {db, queue, kNodeLimit, context.stop};
}

cascade::Net changing_net_of(const Context& context) {
  auto net = net_of(context);
  if (!context.dry_run) net.keep_others_out();
  return net;
}

void print_steps(Context& context, const cascade::Steps& steps) {
  if (!steps.dry_run()) return;
  if (steps.told().empty() && !context.json) return log::info("nothing to do");
  ui::Table table({"Node", "Step", "SQL"});
  for (auto& step : steps.told()) table.add({step.node, step.what, step.sql});
  context.print(table);
}

void report(Context& context, const cascade::Steps& steps, const std::string& sentence, const Members& members) {
  print_steps(context, steps);
  if (steps.dry_run()) return;
  log::info(sentence);
  if (context.json) context.out << ui::json_object(members) << '\n';
}

}  // namespace skytools::cmd
