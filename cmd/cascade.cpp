#include "cmd/cascade.h"

#include "cmd/cascade_worker.h"
#include "cmd/node_commands.h"
#include "core/cascade/options.h"
#include "core/run/cascade_sql.h"

namespace skytools::cmd {

namespace {

constexpr std::string_view kConsumerDetails =
    "Reads what the node's worker reads, and keeps its own position in the local database, moved in the transaction in "
    "which\n"
    "the statement runs: each event takes effect exactly once. It stays in place when nodes change roles: pause, "
    "resume "
    "and\n"
    "change-provider work on it as on a worker, and where its own node is the root it waits. Parameters of the "
    "statement: $1\n"
    "data, $2 type, $3 extra1, $4 id, $5 time, $6 retry, $7 $8 $9 extra2, extra3, extra4. The cascade's own events "
    "(pgq.*)\n"
    "are left out.\n"
    "\n"
    "Examples:\n"
    "  skytools cascade consumer --db dbname=dw -Q orders --consumer totals --register\n"
    "  skytools cascade consumer --db dbname=dw -Q orders --consumer totals --sql 'select app.count_order($1::jsonb)'\n"
    "  skytools cascade consumer --db dbname=dw -Q orders --consumer totals --unregister";

constexpr Command kChildren[] = {
    {.name = "worker",
     .help = "pass the events of a cascaded queue on to this node: one per node",
     .options = cascade::kWorkerOptions,
     .daemon = true,
     .run = cascade_worker,
     .details = "For queues whose events are no table changes: a branch gets the events and ticks of its provider, a "
                "merge leaf\n"
                "copies the events of its part into the combined queue. Nothing is applied; tables need skytools "
                "londiste worker.\n"
                "\n"
                "Example:\n"
                "  skytools cascade worker --db 'host=db2 dbname=dw' -Q orders",
     .job = "cascade"},
    {.name = "consumer",
     .help = "run a statement here for each event of a cascaded queue, exactly once",
     .options = run::kCascadeConsumerOptions,
     .daemon = true,
     .run = cascade_consumer,
     .details = kConsumerDetails,
     .job = "cascade_consumer"},
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
