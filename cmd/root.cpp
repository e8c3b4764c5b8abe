#include "cmd/root.h"

#include <vector>

#include "cmd/cascade.h"
#include "cmd/completion.h"
#include "cmd/config.h"
#include "cmd/consumer.h"
#include "cmd/demo.h"
#include "cmd/help_command.h"
#include "cmd/install.h"
#include "cmd/londiste.h"
#include "cmd/man.h"
#include "cmd/queue.h"
#include "cmd/ticker.h"

namespace skytools::cmd {

namespace {

constexpr std::string_view kDetails =
    "Examples:\n"
    "  skytools demo                                    show everything on throwaway servers\n"
    "  skytools --db 'host=db1 dbname=shop' install     put the schemas into a database\n"
    "  skytools --db 'host=db1 dbname=shop' ticker      run the ticker of a database\n"
    "  skytools help londiste add-table                 explain a command\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 a difference was found, 4 a database is\n"
    "unreachable, 5 refused, 6 a schema is missing or too old, 7 timed out, 70 internal error.\n"
    "\n"
    "Settings come from flags, SKYTOOLS_* variables, the job's section of --config, its defaults, the\n"
    "database, and what is built in; the first that says something counts.";

void collect(const Command& command, config::JobTypes& types) {
  if (!command.job.empty()) types.push_back({command.job, command.options});
  for (const Command& child : command.children) collect(child, types);
}

const Command* find_job(const Command& command, std::string_view type) {
  if (command.job == type) return &command;
  for (const Command& child : command.children)
    if (auto found = find_job(child, type)) return found;
  return nullptr;
}

}  // namespace

const Command& root() {
  static const std::vector<Command> nouns = {

      kDemoCommand,       kInstallCommand, kTickerCommand, kQueueCommand,      kConsumerCommand, cascade_command(),
      londiste_command(), kConfigCommand,  kManCommand,    kCompletionCommand, kHelpCommand,
  };
  static const Command program{.name = "skytools",
                               .help = "queues, replication and role changes between PostgreSQL servers",
                               .children = nouns,
                               .details = kDetails};
  return program;
}

const config::JobTypes& job_types() {
  static const config::JobTypes types = [] {
    config::JobTypes out;
    collect(root(), out);
    return out;
  }();
  return types;
}

const Command* command_of_job(std::string_view type) { return find_job(root(), type); }

}  // namespace skytools::cmd
