#pragma once
#include <array>
#include <span>
#include <string>
#include <vector>

#include "cmd/context.h"
#include "core/cascade/hooks.h"
#include "core/cascade/net.h"
#include "core/cascade/steps.h"

/// The commands about nodes that `skytools cascade` and `skytools londiste` share.
namespace skytools::cmd {

/// Rows of both nouns. cmd/node_table.cpp
std::span<const Command> node_commands();
/// Those rows and the noun's own, in this order.
std::vector<Command> with_node_commands(std::span<const Command> own);

/// What the nouns differ in: Londiste looks at tables, too.
cascade::Hooks hooks_of(const Context& context);
/// The set as seen from --db; --timeout is not its limit. @throws SchemaMissing, Error
cascade::Net net_of(const Context& context);
/// Prints what was, or would be, done: always under --dry-run, otherwise nothing.
void print_steps(Context& context, const cascade::Steps& steps);

// cmd/node_roles.cpp
int change_provider(Context& context);
int switchover(Context& context);
int failover(Context& context);
int takeover(Context& context);
int resurrect(Context& context);

}  // namespace skytools::cmd
