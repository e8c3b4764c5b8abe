#include "core/cascade/position.h"

#include "core/cascade/session.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

/// Both ends of a reader that does not run while this lives.
struct Ends {
  Ends(const WorkerSettings& settings, const StopToken& stop)
      : local("db", settings.db, {.stop = &stop, .application_name = "skytools"}) {
    lock_out_others(local, settings);
    pg::Transaction tx(local, pg::Mode::autocommit);
    state = read_state(tx, settings);
    // A consumer may have lost nothing but its node's role: on a root it still has a provider, which its worker has
    // not.
    if (settings.kind() == ConsumerKind::worker && state.type == NodeType::root)
      throw Error("[" + local.label() + "] node " + state.node + " is the root of queue " + settings.queue +
                  ": its worker reads no other queue");
    provider = connect_provider(settings, state, stop, {});
  }
  pg::Connection local;
  WorkerState state;
  std::unique_ptr<pg::Connection> provider;
};

std::optional<std::int64_t> position_at(pg::Connection& c, const std::string& queue, const std::string& consumer) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  return pgq::consumer_position(tx, queue, consumer);
}

std::optional<NodeInfo> info_at(pg::Connection& c, const std::string& queue) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  return node_info(tx, queue);
}

std::string number(std::optional<std::int64_t> tick) { return tick ? std::to_string(*tick) : "none"; }

/// The node a new consumer is to read from, as name and connection.
std::pair<std::string, std::unique_ptr<pg::Connection>> chosen_provider(pg::Connection& local,
                                                                        const WorkerSettings& settings,
                                                                        const std::string& wanted,
                                                                        const StopToken& stop) {
  auto info = info_at(local, settings.queue);
  if (!info) throw Error("[" + local.label() + "] there is no node of queue " + settings.queue);
  if (info->worker_name == settings.consumer)
    throw Error("[" + local.label() + "] " + settings.consumer + " is the name of the node's worker");
  if (wanted.empty() && info->type == NodeType::root)
    throw Error("[" + local.label() + "] node " + info->name + " is the root and reads nobody; name a --provider");
  std::string name = wanted.empty() ? info->provider_node : wanted;
  if (name == info->name) throw Error("a cascaded consumer reads another node than its own, " + name);
  WorkerState at{};
  at.provider_node = name;
  {
    pg::Transaction tx(local, pg::Mode::autocommit);
    for (auto& member : members(tx, settings.queue))
      if (member.name == name) at.provider_location = member.location;
  }
  if (at.provider_location.empty())
    throw Error("[" + local.label() + "] queue " + settings.queue + " has no node " + name);
  auto connection = connect_provider(settings, at, stop, {});
  auto there = info_at(*connection, settings.queue);
  if (!there || there->name != name)
    throw Error("[" + connection->label() + "] there is no node " + name + " of queue " + settings.queue);
  if (there->type == NodeType::leaf)
    throw Error("[" + connection->label() + "] node " + name + " is a leaf and cannot feed others");
  return {name, std::move(connection)};
}

}  // namespace

std::string rewind(const WorkerSettings& settings, bool dry_run, const StopToken& stop) {
  Ends ends(settings, stop);
  auto before = position_at(*ends.provider, settings.queue, ends.state.worker_name);
  if (!dry_run) {
    pg::Transaction tx(*ends.provider, pg::Mode::autocommit);
    pgq::register_consumer(tx, settings.queue, ends.state.worker_name, ends.state.completed_tick);
  }
  return "move " + ends.state.worker_name + " on the queue of " + ends.state.provider_node + " from tick " +
         number(before) + " to tick " + std::to_string(ends.state.completed_tick);
}

std::string reset(const WorkerSettings& settings, bool dry_run, const StopToken& stop) {
  Ends ends(settings, stop);
  auto position = position_at(*ends.provider, settings.queue, ends.state.worker_name);
  if (!position)
    throw Error("[" + ends.provider->label() + "] " + ends.state.worker_name + " is not registered on queue " +
                settings.queue + "; --rewind registers it");
  bool worker = settings.kind() == ConsumerKind::worker;
  if (worker && ends.state.type == NodeType::branch && *position < ends.state.completed_tick)
    throw Error("[" + ends.local.label() + "] the queue of branch " + ends.state.node + " has everything up to tick " +
                std::to_string(ends.state.completed_tick) + "; going back to " + std::to_string(*position) +
                " would copy events twice: use --rewind");
  if (!dry_run) {
    pg::Transaction tx(ends.local, pg::Mode::autocommit);
    run_command(tx, "pgq_node.set_consumer_completed($1, $2, $3)", {settings.queue, ends.state.worker_name, *position});
  }
  return "move the position of " + ends.state.worker_name + " on " + ends.state.node + " from tick " +
         std::to_string(ends.state.completed_tick) + " to tick " + std::to_string(*position);
}

std::string register_consumer(const WorkerSettings& settings, const std::string& provider, bool dry_run,
                              const StopToken& stop) {
  pg::Connection local("db", settings.db, {.stop = &stop});
  std::optional<ConsumerState> known;
  {
    pg::Transaction tx(local, pg::Mode::autocommit);
    known = consumer_state(tx, settings.queue, settings.consumer);
  }
  auto [name, connection] =
      chosen_provider(local, settings, provider.empty() && known ? known->provider_node : provider, stop);
  if (known && known->provider_node != name)
    throw Error("[" + local.label() + "] consumer " + settings.consumer + " is registered already and reads node " +
                known->provider_node + "; change-provider moves it");
  auto position = position_at(*connection, settings.queue, settings.consumer);
  std::string done = "register " + settings.consumer + " on the queue of " + name + " at tick ";
  if (dry_run) return done + (position ? number(position) + ", where it is registered already" : "of the newest");
  if (!position) {
    pg::Transaction tx(*connection);
    // Known here but not there: it goes on where it was.
    pgq::register_consumer(tx, settings.queue, settings.consumer,
                           known ? std::optional(known->completed_tick) : std::nullopt);
    position = pgq::consumer_position(tx, settings.queue, settings.consumer);
    tx.commit();
  }
  if (!known) {
    pg::Transaction tx(local, pg::Mode::autocommit);
    run_command(tx, "pgq_node.register_consumer($1, $2, $3, $4)", {settings.queue, settings.consumer, name, position});
  }
  return done + number(position);
}

std::string unregister_consumer(const WorkerSettings& settings, bool dry_run, const StopToken& stop) {
  Ends ends(settings, stop);
  if (!dry_run) {
    {
      pg::Transaction tx(*ends.provider, pg::Mode::autocommit);
      pgq::unregister_consumer(tx, settings.queue, settings.consumer);
    }
    pg::Transaction tx(ends.local, pg::Mode::autocommit);
    run_command(tx, "pgq_node.unregister_consumer($1, $2)", {settings.queue, settings.consumer});
  }
  return "unregister " + settings.consumer + " from the queue of " + ends.state.provider_node + ", then from node " +
         ends.state.node;
}

}  // namespace skytools::cascade
