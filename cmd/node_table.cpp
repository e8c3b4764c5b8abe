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
         "--dry-run rehearses all of it but the\nrole change and estimates the pause.\n"
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
