#include "cmd/help_command.h"

#include <ostream>

#include "cmd/context.h"
#include "cmd/help.h"

namespace skytools::cmd {

namespace {

int run_help(Context& context) {
  Invocation invocation{{&root()}, {}};
  for (auto& word : context.args) invocation.path.push_back(&child_of(invocation.command(), invocation.words(), word));
  context.out << help_text(invocation);
  return 0;
}

}  // namespace

constinit const Command kHelpCommand{.name = "help",
                                     .synopsis = "[COMMAND [SUBCOMMAND]]",
                                     .help = "explain a command",
                                     .run = run_help,
                                     .max_args = kAnyArgs,
                                     .reads_file = false};

}  // namespace skytools::cmd
