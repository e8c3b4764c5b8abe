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
};

}  // namespace

std::span<const Command> node_commands() { return kRows; }

std::vector<Command> with_node_commands(std::span<const Command> own) {
  std::vector<Command> all(std::begin(kRows), std::end(kRows));
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

}  // namespace skytools::cmd
