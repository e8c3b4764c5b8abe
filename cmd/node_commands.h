#pragma once
#include <memory>
#include <span>
#include <string>
#include <utility>
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
bool is_londiste(const Context& context);
/// @throws SchemaMissing  at --db
void require_schemas(const Context& context);
/// The connection to --db, whose schemas are there.
std::unique_ptr<pg::Connection> local_node(const Context& context);
/// The set as seen from --db; --timeout is not its limit. @throws SchemaMissing, Error
cascade::Net net_of(const Context& context);
/// The same for a command that changes more than one node: unless under --dry-run, it is the only one from its first
/// survey on.
cascade::Net changing_net_of(const Context& context);
/// Prints what was, or would be, done: always under --dry-run, otherwise nothing.
void print_steps(Context& context, const cascade::Steps& steps);

/// Of a JSON object.
using Members = std::vector<std::pair<std::string, ui::Cell>>;
/// What a command did: a sentence for people, one object under --json; under --dry-run its steps instead.
void report(Context& context, const cascade::Steps& steps, const std::string& sentence, const Members& members);

// cmd/node_create.cpp
int create_root(Context& context);
int create_branch(Context& context);
int create_leaf(Context& context);

// cmd/node_control.cpp
int pause_node(Context& context);
int resume_node(Context& context);
int wait_root(Context& context);
int wait_provider(Context& context);

// cmd/node_topology.cpp
int drop_node(Context& context);
int rename_node(Context& context);
int set_location(Context& context);
int set_attributes(Context& context);
int tag_dead(Context& context);
int tag_alive(Context& context);

// cmd/node_status.cpp
int node_tree(Context& context);
int set_status(Context& context);

// cmd/node_info.cpp
int node_status(Context& context);
int node_info(Context& context);
int list_members(Context& context);
int show_consumers(Context& context);

// cmd/node_roles.cpp
int change_provider(Context& context);
int switchover(Context& context);
int failover(Context& context);
int takeover(Context& context);
int resurrect(Context& context);

}  // namespace skytools::cmd
