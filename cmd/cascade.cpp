#include "cmd/cascade.h"

#include "cmd/cascade_worker.h"
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
};

}  // namespace

constinit const Command kCascadeCommand = {
    .name = "cascade",
    .synopsis = "COMMAND",
    .help = "pass a queue on from database to database",
    .children = kChildren,
    .details =
        "A cascaded queue has the same events, ids and ticks in several databases, its nodes. Each node needs "
        "its worker."};

}  // namespace skytools::cmd
