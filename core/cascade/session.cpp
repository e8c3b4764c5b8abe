#include "core/cascade/session.h"

#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

constexpr const char* kApplication = "skytools worker";
constexpr milliseconds kOwnNode(3000);  ///< for the own node to tell where it reads from

pg::ConnectOptions connect_options(const StopToken& stop, const std::function<void()>& alive) {
  return {.stop = &stop, .application_name = kApplication, .on_wait = alive};
}

/// Is the round still about the same node in the same role?
bool same_round(const WorkerState& a, const WorkerState& b) {
  return a.type == b.type && a.combined_type == b.combined_type && a.provider_node == b.provider_node &&
         a.provider_location == b.provider_location && a.completed_tick == b.completed_tick;
}

}  // namespace

WorkerState read_state(pg::Transaction& tx, const WorkerSettings& settings) {
  if (settings.kind() == ConsumerKind::worker) return worker_state(tx, settings.queue);
  return cascaded_consumer_state(tx, settings.queue, settings.consumer);
}

void lock_out_others(pg::Connection& local, const WorkerSettings& settings) {
  bool worker = settings.kind() == ConsumerKind::worker;
  std::string key = worker ? settings.queue : settings.queue + "/" + settings.consumer;
  pg::Transaction tx(local, pg::Mode::autocommit);
  if (tx.value<bool>("select pg_try_advisory_lock($1::int, hashtext($2))", kWorkerLockClass, key)) return;
  throw Refused("[" + local.label() + "] another " +
                (worker ? "worker of queue " + settings.queue
                        : "process of consumer " + settings.consumer + " of queue " + settings.queue) +
                " is running");
}

std::unique_ptr<pg::Connection> connect_provider(const WorkerSettings& settings, const WorkerState& state,
                                                 const StopToken& stop, const std::function<void()>& alive) {
  std::string location = state.provider_location;
  if (!settings.remote_extra.empty()) location += " " + settings.remote_extra;
  return std::make_unique<pg::Connection>("provider " + state.provider_node, location, connect_options(stop, alive));
}

Session::Session(const WorkerSettings& settings, StopToken& stop, const std::function<void()>& alive,
                 const bool& failed)
    : settings_(settings),
      failed_(failed),
      target_("db", settings.db, connect_options(stop, alive)),
      context_{.settings = settings_,
               .stop = stop,
               .alive = alive,
               .still_valid = [this] { return still_valid(); },
               .target = target_,
               .source = nullptr,
               .state = {},
               .duties = {},
               .after_error = failed} {
  prepare_session(target_);
  lock_out_others(target_, settings_);
  pg::listen(target_, kNodeChannel);
}

void Session::wait(milliseconds d) {
  pg::wait_readable({&target_, source_.get()}, d, context_.stop);
  if (source_) source_->notifications();
}

void Session::take_notifications() {
  for (auto& n : target_.notifications())
    context_.stale |=
        n.channel == kNodeChannel && (n.payload == settings_.queue || n.payload == context_.state.combined_queue);
}

/// A provider that went mute may stay so for long: a failover that moved the node, or that ended our session here to do
/// so, must not wait for it.
void Session::on_silence() {
  context_.alive();
  // Our own connection may be in the middle of a batch.
  pg::Connection c("db", settings_.db, {.connect_timeout = kOwnNode, .statement_timeout = kOwnNode});
  pg::Transaction tx(c, pg::Mode::autocommit);
  std::string provider = read_state(tx, settings_).provider_node;
  if (provider != context_.state.provider_node)
    throw Error("provider " + context_.state.provider_node + " does not answer, and the node reads from " + provider +
                " now");
}

bool Session::acknowledge() {
  const std::string& queue = settings_.queue;
  WorkerState& state = context_.state;
  // Who changes the node tells so; looking anyway once per loop_delay is for schemas that do not.
  take_notifications();
  context_.refreshed = context_.stale || Clock::now() >= state_due_;
  if (!context_.refreshed) return !state.paused;
  context_.stale = false;
  state_due_ = Clock::now() + settings_.loop_delay;
  pg::Transaction tx(target_, pg::Mode::autocommit);
  state = read_state(tx, settings_);
  context_.duties = duties_of(settings_.kind(), state.type, state.combined_type);
  if (!state.uptodate) run_command(tx, "pgq_node.set_consumer_uptodate($1, $2, true)", {queue, state.worker_name});
  if (state.error && !failed_) run_command(tx, "pgq_node.set_consumer_error($1, $2, null)", {queue, state.worker_name});
  return !state.paused;
}

bool Session::still_valid() {
  context_.alive();
  WorkerState before = context_.state;
  bool valid = acknowledge() && same_round(before, context_.state);
  if (!valid) context_.stale = true;  // the new round reads once more what this one may have used half
  return valid;
}

bool Session::provider_marked_dead() {
  pg::Transaction tx(target_, pg::Mode::autocommit);
  for (auto& member : members(tx, settings_.queue))
    if (member.name == context_.state.provider_node) return member.dead;
  return false;
}

void Session::follow_provider() {
  const WorkerState& state = context_.state;
  if (!context_.duties.reads) {
    source_.reset();
    context_.source = nullptr;
    return;
  }
  // A renamed provider is connected to again, so that messages call it by its name.
  if (source_ && source_location_ == state.provider_location && source_name_ == state.provider_node) return;
  context_.source = nullptr;
  try {
    source_ = connect_provider(settings_, state, context_.stop, [this] { on_silence(); });
  } catch (const pg::ConnectError&) {
    if (!provider_marked_dead()) throw;
    std::throw_with_nested(Error("[" + target_.label() + "] node " + state.provider_node +
                                 " is marked dead; change-provider makes " + state.worker_name + " read another one"));
  }
  source_name_ = state.provider_node;
  source_location_ = state.provider_location;
  context_.source = source_.get();
  // No conversion on the way: both ends speak the provider's server encoding.
  std::string encoding;
  {
    pg::Transaction tx(*source_, pg::Mode::autocommit);
    encoding = tx.value<std::string>("select current_setting('server_encoding')");
    if (auto channel = pgq::tick_channel(tx, settings_.queue)) pg::listen(*source_, *channel);
  }
  prepare_session(*source_, encoding);
  prepare_session(target_, encoding);
  log::info("reading from provider",
            {{"queue", settings_.queue}, {"node", state.node}, {"provider", state.provider_node}});
}

}  // namespace skytools::cascade
