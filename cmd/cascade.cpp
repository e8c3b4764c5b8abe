#include "cmd/cascade.h"

#include "cmd/node_commands.h"

namespace skytools::cmd {

namespace {

constexpr Command kChildren[] = {
    {.name = "wait-sync",
     .help = "wait until this node has all that its provider has now",
     .run = wait_provider,
     .details = "--timeout limits it: exit code 7."},
};

}  // namespace

const Command& cascade_command() {
  static const std::vector<Command> children = with_node_commands(kChildren);
  static const Command command{
      .name = "cascade",
      .synopsis = "COMMAND",
      .help = "nodes of a cascaded queue: create, inspect, move and replace them",
      .children = children,
      .details =
          "A set is one queue with the same ticks and events in several databases: one root, branches that mirror "
          "it and can take\n"
          "over, leaves. The commands are those of skytools londiste without the tables."};
  return command;
}

}  // namespace skytools::cmd
