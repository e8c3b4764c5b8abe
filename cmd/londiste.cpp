#include "cmd/londiste.h"

#include "cmd/londiste_commands.h"
#include "cmd/node_commands.h"
#include "core/londiste/options.h"

namespace skytools::cmd {

namespace {

using config::Type;
using config::Where;

constexpr config::Option flag(std::string_view key, std::string_view help) {
  return {.key = key, .type = Type::boolean, .fallback = "no", .help = help, .where = Where::flag};
}

constexpr config::Option kProviderOptions[] = {
    {.key = "provider", .help = "connect string of the node to read from", .value = "CONNINFO", .connection = true},
};

constexpr config::Option kBranchOptions[] = {
    kProviderOptions[0],
    {.key = "sync_watermark",
     .type = Type::list,
     .help = "branches that must stay able to replace each other: events are kept until all of them have them",
     .value = "NODE",
     .where = Where::flag},
};

constexpr config::Option kLeafOptions[] = {
    kProviderOptions[0],
    {.key = "merge",
     .help = "queue of this database that the events go on to; its node must be here already",
     .value = "QUEUE",
     .where = Where::flag},
};

constexpr config::Option kAddTableOptions[] = {
    flag("all", "every table that can be added"),
    flag("create", "make missing tables like the provider's: columns, defaults, primary key"),
    flag("expect_sync", "the rows are here already: no initial copy"),
    flag("skip_truncate", "keep the rows that are here when the copy starts"),
    flag("skip_non_existing", "leave out tables that do not exist here"),
    flag("no_triggers", "do not capture changes of the tables here"),
    flag("merge_all", "merge leaf: rows come from every part that has the table"),
    flag("no_merge", "merge leaf: rows come from this part alone"),
    flag("wait_sync", "return when the initial copies are done; the worker must be running"),
    flag("force", "go on without the names that cannot be added"),
    {.key = "dest_table", .help = "name of the table here, for a single table", .value = "TABLE", .where = Where::flag},
    {.key = "trigger_flags",
     .help = "what the trigger does: B A before/after, Q L J format, I U D events, S skip",
     .value = "FLAGS",
     .where = Where::flag},
    {.key = "trigger_arg",
     .type = Type::list,
     .help = "further argument of the trigger, repeatable",
     .value = "ARG",
     .where = Where::flag},
    {.key = "max_parallel_copy",
     .type = Type::integer,
     .fallback = "0",
     .help = "merged tables: copies of it at the same time; 0: no limit",
     .value = "N",
     .where = Where::flag},
};

constexpr config::Option kAddSeqOptions[] = {
    flag("all", "every sequence that can be added"),
    flag("create", "make missing sequences like the provider's"),
    flag("skip_non_existing", "leave out sequences that do not exist here"),
    flag("force", "go on without the names that cannot be added"),
};

constexpr config::Option kStatusOptions[] = {
    flag("compact", "one line per node"),
};

constexpr std::string_view kPublicDetails =
    "NAME is the node's name in the set, unique. PUBLIC is the connect string by which the other nodes reach this\n"
    "database; default: --db. The set is named by --queue. The worker is called <queue>_<NAME>, or as --job says.\n"
    "Running it again is harmless: a node that is there is left alone, a half-made one is finished.\n"
    "\n"
    "Examples:\n"
    "  skytools londiste create-root hq 'host=db1 dbname=shop' --db 'host=db1 dbname=shop' -Q shop\n"
    "  skytools londiste create-leaf dw 'host=db2 dbname=dw' --db 'host=db2 dbname=dw' -Q shop --provider 'host=db1 "
    "dbname=shop'";

constexpr std::string_view kTablePatterns =
    "TABLE is a name or a glob: *, ?, schema.*, and !pattern to exclude; without a schema it means public.\n"
    "On the root, capture triggers are put on the tables. Elsewhere each table is copied from the provider while "
    "writes\n"
    "go on, and then kept up to date by the worker.\n"
    "\n"
    "Examples:\n"
    "  skytools londiste add-table --db 'host=db1 dbname=shop' -Q shop 'public.*' '!public.log_*'\n"
    "  skytools londiste add-table --db 'host=db2 dbname=dw' -Q shop --create --wait-sync --all";

constexpr Command kChildren[] = {
    {.name = "create-root",
     .synopsis = "NAME [PUBLIC]",
     .help = "make this database the root of a set: changes come from here",
     .run = create_root,
     .details = kPublicDetails,
     .min_args = 1,
     .max_args = 2},
    {.name = "create-branch",
     .synopsis = "NAME [PUBLIC]",
     .help = "add this database as a copy that can feed others and take over",
     .options = kBranchOptions,
     .run = create_branch,
     .details = kPublicDetails,
     .min_args = 1,
     .max_args = 2},
    {.name = "create-leaf",
     .synopsis = "NAME [PUBLIC]",
     .help = "add this database as a copy at the end of the cascade",
     .options = kLeafOptions,
     .run = create_leaf,
     .details = kPublicDetails,
     .min_args = 1,
     .max_args = 2},
    {.name = "add-table",
     .synopsis = "TABLE...",
     .help = "replicate tables",
     .options = kAddTableOptions,
     .run = add_table,
     .details = kTablePatterns,
     .min_args = 0,
     .max_args = kAnyArgs},
    {.name = "add-seq",
     .synopsis = "SEQUENCE...",
     .help = "replicate sequences: the copies stay ahead of the root",
     .options = kAddSeqOptions,
     .run = add_seq,
     .min_args = 0,
     .max_args = kAnyArgs},
    {.name = "tables",
     .help = "list the tables of the set and the state of their copies on this node",
     .run = list_tables},
    {.name = "seqs", .help = "list the sequences of the set", .run = list_seqs},
    {.name = "missing", .help = "list tables and sequences that are not replicated here", .run = list_missing},
    {.name = "wait-sync",
     .synopsis = "[TABLE...]",
     .help = "wait until initial copies are done",
     .run = wait_sync,
     .max_args = kAnyArgs},
    {.name = "status",
     .help = "show the whole set as a tree: tables, lag, errors",
     .options = kStatusOptions,
     .run = londiste_status,
     .details = "Asks every node, several at a time. Exit code 0 whatever the state; --timeout limits each node "
                "(default 10s)."},
    {.name = "worker",
     .help = "apply changes, copy tables, feed the branches below: one per node",
     .options = londiste::kWorkerOptions,
     .daemon = true,
     .run = londiste_worker,
     .details = "Each node needs its worker, the root too. It may be stopped and killed at any time: progress is "
                "stored with the\n"
                "rows, so nothing is lost or applied twice.\n"
                "\n"
                "Examples:\n"
                "  skytools londiste worker --db 'host=db2 dbname=dw' -Q shop\n"
                "  skytools londiste worker -c shop_to_dw.yaml -d --pid-file /run/skytools/shop_to_dw.pid",
     .job = "londiste"},
};

}  // namespace

const Command& londiste_command() {
  static const std::vector<Command> children = with_node_commands(kChildren);
  static const Command command{
      .name = "londiste",
      .synopsis = "COMMAND",
      .help = "replicate tables and sequences between databases",
      .children = children,
      .details =
          "A set is a cascaded queue and the tables on it: one root, branches that mirror it and can take over, "
          "leaves.\n"
          "Each database needs the schemas (skytools install); root and branches need a ticker (skytools ticker); each "
          "node\n"
          "needs its worker (skytools londiste worker)."};
  return command;
}

}  // namespace skytools::cmd
