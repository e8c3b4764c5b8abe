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
