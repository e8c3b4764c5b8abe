#include "cmd/node_commands.h"

namespace skytools::cmd {

namespace {

using config::Type;
using config::Where;

constexpr config::Option flag(std::string_view key, std::string_view help) {
  return {.key = key, .type = Type::boolean, .fallback = "no", .help = help, .where = Where::flag};
}
constexpr config::Option node(std::string_view key, std::string_view help) {
  return {.key = key, .help = help, .value = "NODE", .where = Where::flag};
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

constexpr config::Option kConsumerOptions[] = {
    {.key = "consumer",
     .help = "a plain consumer of the node instead of its worker",
     .value = "NAME",
     .where = Where::flag},
};

constexpr config::Option kDropOptions[] = {flag("force", "also while no root answers, who could tell the others")};
constexpr config::Option kRenameOptions[] = {
    flag("force", "also while a node that does not read from it is not reached")};
constexpr config::Option kLocationOptions[] = {flag("force", "also while no root answers, who could tell the others")};
constexpr config::Option kTagDeadOptions[] = {flag("force", "also a node that answers, the root or the local one")};
constexpr config::Option kTagAliveOptions[] = {flag("force", "also a node that does not answer")};

constexpr config::Option kWatch = {.key = "watch",
                                   .type = Type::duration,
                                   .help = "look again so often until Ctrl-C; a bare number is seconds",
                                   .where = Where::flag};
constexpr config::Option kTreeOptions[] = {flag("compact", "one line per node"), kWatch};
constexpr config::Option kRowsOptions[] = {kWatch};

constexpr std::string_view kPublicDetails =
    "NAME is the node's name in the set, unique. PUBLIC is the connect string by which the other nodes reach this\n"
    "database; default: --db. The set is named by --queue. The worker is called <queue>_<NAME>, or as --job says.\n"
    "Running it again is harmless: a node that is there is left alone, a half-made one is finished.\n"
    "A name that another node had is taken when the provider has heard of that one's end (--timeout, default 30s;\n"
    "exit code 7).\n"
    "\n"
    "Examples:\n"
    "  skytools londiste create-root hq 'host=db1 dbname=shop' --db 'host=db1 dbname=shop' -Q shop\n"
    "  skytools londiste create-leaf dw 'host=db2 dbname=dw' --db 'host=db2 dbname=dw' -Q shop --provider 'host=db1 "
    "dbname=shop'";

constexpr std::string_view kPauseDetails =
    "NODE is any member of the set; default: the node at --db. Waits until the worker has seen it (--timeout, default "
    "30s);\n"
    "exit code 7 when nobody answered: the flag stays set, and the worker obeys once it runs.\n"
    "\n"
    "Examples:\n"
    "  skytools londiste pause -Q shop --db 'host=db2 dbname=dw'\n"
    "  skytools cascade resume b2 -Q shop --db 'host=db1 dbname=shop' --timeout 5s";

constexpr std::string_view kStatusDetails =
    "Asks every node, several at a time. Exit code 0 whatever the state; --timeout limits each node (default 10s).\n"
    "-v shows what is of interest only sometimes: copies, workers, versions, who holds back the watermark.\n"
    "\n"
    "Examples:\n"
    "  skytools londiste status -Q shop --db 'host=db1 dbname=shop'\n"
    "  skytools cascade set-status -Q shop --db 'host=db1 dbname=shop' --watch 5";

constexpr config::Option kMoveOptions[] = {
    {.key = "provider", .help = "node to read from", .value = "NODE"},
    node("node", "whose provider changes; default: the node at --db"),
    {.key = "consumer",
     .help = "a plain consumer of that node instead of its worker",
     .value = "NAME",
     .where = Where::flag},
    flag("force", "also while tables are being copied: they are copied anew"),
};

constexpr config::Option kSwitchoverOptions[] = {
    node("to", "the branch that becomes the root"),
    flag("all", "the old root's other subscribers move below the new root"),
    flag("force", "in spite of gates that are not passed"),
};

constexpr config::Option kDead = {.key = "dead",
                                  .type = Type::list,
                                  .help = "a node that is dead, repeatable",
                                  .value = "NODE",
                                  .where = Where::flag};

constexpr config::Option kFailoverOptions[] = {
    node("to", "the node that takes over"),
    kDead,
    flag("force", "although a node named dead answers, or another one does not"),
};

constexpr config::Option kTakeoverOptions[] = {
    flag("all", "the other subscribers of OLD move, too"),  flag("dead_root", "OLD was the root and is dead"),
    flag("dead_branch", "OLD was a branch and is dead"),    kDead,
    flag("force", "in spite of gates that are not passed"),
};

constexpr config::Option kResurrectOptions[] = {
    {.key = "lost_events",
     .fallback = "resurrect-lost-events.json",
     .help = "where the lost events are written",
     .value = "FILE",
     .where = Where::flag},
};

constexpr Command kRows[] = {
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
    {.name = "drop-node",
     .synopsis = "NAME",
     .help = "take a node out of the set, dead ones too",
     .options = kDropOptions,
     .run = drop_node,
     .details = "The node must feed nobody; the root goes last. Its own database is cleaned if it answers: queue, "
                "triggers, lists; rows of\n"
                "tables stay. All other nodes forget it, so it no longer holds back their queues. Stop its worker.\n"
                "May be run again after a failure.\n"
                "\n"
                "Examples:\n"
                "  skytools londiste drop-node dw -Q shop --db 'host=db1 dbname=shop' --yes",
     .min_args = 1,
     .max_args = 1},
    {.name = "rename-node",
     .synopsis = "OLD NEW",
     .help = "give a node another name while everything runs",
     .options = kRenameOptions,
     .run = rename_node,
     .details = "Positions, subscriptions and the worker's name stay. May be run again after a failure: each step "
                "leaves a set that works.\n"
                "A name that another node had is taken when all nodes have heard of that one's end (--timeout, default "
                "30s; exit code 7).\n"
                "\n"
                "Examples:\n"
                "  skytools cascade rename-node b2 backup -Q shop --db 'host=db1 dbname=shop'",
     .min_args = 2,
     .max_args = 2},
    {.name = "set-location",
     .synopsis = "NAME CONNINFO",
     .help = "tell all nodes where a node is now",
     .options = kLocationOptions,
     .run = set_location,
     .details = "First it is proved that CONNINFO leads to that very node. Workers follow by themselves.\n"
                "\n"
                "Examples:\n"
                "  skytools cascade set-location dw 'host=db9 dbname=dw' -Q shop --db 'host=db1 dbname=shop'",
     .min_args = 2,
     .max_args = 2},
    {.name = "set-attr",
     .synopsis = "NAME KEY=VALUE...",
     .help = "set attributes of a node; an empty value takes one away",
     .run = set_attributes,
     .details =
         "sync_watermark=NODE,...  on a branch: nodes whose watermark it waits for, so that they can replace each "
         "other\n"
         "\n"
         "Examples:\n"
         "  skytools cascade set-attr b1 sync_watermark=b2,b3 -Q shop --db 'host=db1 dbname=shop'",
     .min_args = 2,
     .max_args = kAnyArgs},
    {.name = "pause",
     .synopsis = "[NODE]",
     .help = "let the worker of a node stand still",
     .options = kConsumerOptions,
     .run = pause_node,
     .details = kPauseDetails,
     .max_args = 1},
    {.name = "resume",
     .synopsis = "[NODE]",
     .help = "let it go on",
     .options = kConsumerOptions,
     .run = resume_node,
     .details = kPauseDetails,
     .max_args = 1},
    {.name = "tag-dead",
     .synopsis = "NODE...",
     .help = "mark nodes as dead: admin commands leave them alone",
     .options = kTagDeadOptions,
     .run = tag_dead,
     .min_args = 1,
     .max_args = kAnyArgs},
    {.name = "tag-alive",
     .synopsis = "NODE...",
     .help = "take that mark away",
     .options = kTagAliveOptions,
     .run = tag_alive,
     .min_args = 1,
     .max_args = kAnyArgs},
    {.name = "status",
     .help = "show the whole set as a tree: lag, tables, errors",
     .options = kTreeOptions,
     .run = node_tree,
     .details = kStatusDetails},
    {.name = "set-status",
     .help = "show the whole set as a table, one row per node",
     .options = kRowsOptions,
     .run = set_status,
     .details = kStatusDetails},
    {.name = "node-status",
     .help = "show the state of the node at --db, whatever happened to others",
     .run = node_status},
    {.name = "node-info", .help = "show what the node at --db is: type, provider, connect strings", .run = node_info},
    {.name = "members", .help = "list the nodes of the set as the one at --db knows them", .run = list_members},
    {.name = "show-consumers",
     .help = "list the cascaded consumers that write to this database, the worker among them",
     .run = show_consumers},
    {.name = "wait-root",
     .help = "wait until this node has all that the root has now",
     .run = wait_root,
     .details = "--timeout limits it: exit code 7."},
    {.name = "wait-provider",
     .help = "wait until this node has all that its provider has now",
     .run = wait_provider,
     .details = "--timeout limits it: exit code 7."},
    {.name = "change-provider",
     .help = "let a node read from another one",
     .options = kMoveOptions,
     .run = change_provider,
     .details =
         "The worker may run. Everything is checked first: the new provider is alive, no leaf, not below the node, and "
         "has the\nnode's tick. The old provider may be dead.\n"
         "\n"
         "Examples:\n"
         "  skytools londiste change-provider --db 'host=db3 dbname=dw' -Q shop --provider b2\n"
         "  skytools cascade change-provider -Q shop --node dw --provider b2"},
    {.name = "switchover",
     .help = "planned role change: a branch becomes the root, the old root its branch",
     .options = kSwitchoverOptions,
     .run = switchover,
     .details =
         "Gates come first and change nothing: the target is a live branch, its worker answers, tables are in step, no "
         "copy runs,\nno transaction has been writing for long. Then the old root is closed for writes, open "
         "transactions "
         "end, the last tick\nreaches the target, and it is promoted. Any failure or Ctrl-C until then opens the old "
         "root "
         "again; after it the same\ncommand completes what is left. --timeout limits the write pause (default 30s). "
         "--dry-run rehearses all of it but the\nrole change and estimates the pause. A root that a killed command "
         "left "
         "closed is opened again by --to with its own name.\n"
         "\n"
         "Examples:\n"
         "  skytools londiste switchover --to b2 -Q shop --db 'host=db2 dbname=shop' --dry-run\n"
         "  skytools londiste switchover --to b2 -Q shop --db 'host=db2 dbname=shop' --yes"},
    {.name = "failover",
     .help = "a node takes over from dead ones",
     .options = kFailoverOptions,
     .run = failover,
     .details =
         "Positions of all living nodes are compared first. When the root is dead, the branch named by --to catches up "
         "from the\nmost advanced living branch and is promoted; when a branch or leaf is dead, its subscribers are "
         "attached elsewhere. A\ndead root keeps its place (a gravestone) until resurrect brings it back or drop-node "
         "gives it up. Without --dead the\nprovider of --to is meant. Exit code 3: done, but a node has more than the "
         "new root and was left alone.\n"
         "\n"
         "Examples:\n"
         "  skytools londiste failover --to b2 -Q shop --db 'host=db2 dbname=shop' --dry-run\n"
         "  skytools londiste failover --to b2 --dead hq --dead b1 -Q shop --db 'host=db2 dbname=shop' --yes"},
    {.name = "takeover",
     .synopsis = "OLD",
     .help = "this node takes over from another one: the original's form of switchover and failover",
     .options = kTakeoverOptions,
     .run = takeover,
     .details = "Run on the node that takes over. A living root is switched over, a living branch reads from this node "
                "afterwards;\nwith --dead-root, --dead-branch or --dead it is a failover.",
     .min_args = 1,
     .max_args = 1},
    {.name = "resurrect",
     .help = "bring this node back after the set went on without it",
     .options = kResurrectOptions,
     .run = resurrect,
     .details =
         "Run on the old root (or branch) once it lives again. It is closed for writes and becomes a branch of the "
         "node "
         "that took\nover. What it committed that nobody else has is written to a JSON file, an object per event, and "
         "taken out of its queue;\nits tables are left as they are. When there were such changes, its worker stays "
         "paused until somebody has compared the\ntables and resumes it. Refuses while the file exists."},
};

}  // namespace

std::span<const Command> node_commands() { return kRows; }

std::vector<Command> with_node_commands(std::span<const Command> own) {
  std::vector<Command> all(std::begin(kRows), std::end(kRows));
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

}  // namespace skytools::cmd
