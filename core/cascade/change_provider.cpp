#include "core/cascade/change_provider.h"

#include <algorithm>

#include "core/base/failpoint.h"
#include "core/base/strings.h"
#include "core/cascade/control.h"
#include "core/cascade/foreign.h"
#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

class Mover {
 public:
  Mover(Net& net, Steps& steps, const Hooks& hooks, const Move& move)
      : net_(net), steps_(steps), hooks_(hooks), move_(move), node_(net.peer(move.node)), to_(net.peer(move.to)) {}

  bool run() {
    check_nodes();
    read_consumer();
    if (from_ == move_.to && subscribed()) {
      bool resumed = resume_left_over();
      return leave_others() || resumed;
    }
    check_movable();
    if (!steps_.dry_run()) wait_for_tick(position_);
    if (!knows_us()) {
      steps_.take(move_.to, "register the location of " + move_.node + " at " + move_.to,
                  {{"pgq_node.register_location($1, $2, $3, false)", {net_.queue(), move_.node, node_.location}}});
    }
    steps_.take(move_.node, consumer_ + " of " + move_.node + " reads from " + move_.to + " instead of " + from_,
                Call{"pgq_node.change_consumer_provider($1, $2, $3)", {net_.queue(), consumer_, move_.to}}.text(),
                [&] { move(); });
    leave_others();
    return true;
  }

 private:
  bool worker() const { return consumer_ == node_.info->worker_name; }

  void check_nodes() {
    if (!node_.info) throw Error("node " + node_.name + " does not answer: " + node_.problem);
    if (!to_.info) throw Error("node " + to_.name + " cannot be a provider, it does not answer: " + to_.problem);
    if (to_.is(NodeType::leaf)) throw Error("node " + to_.name + " is a leaf and cannot feed others");
    if (to_.name == node_.name) throw Error("node " + node_.name + " cannot subscribe to itself");
    if (node_.is(NodeType::root)) throw Error("node " + node_.name + " is the root and reads from nobody");
    std::size_t hops = 0;
    for (Peer* at = &to_; at && at->info && !at->is(NodeType::root); at = net_.find(at->info->provider_node))
      if (at->info->provider_node == node_.name || ++hops > net_.peers().size())
        throw Error("node " + to_.name + " reads from " + node_.name + ", so " + node_.name +
                    " cannot read from it: the set would form a circle");
  }

  void read_consumer() {
    consumer_ = move_.consumer.empty() ? node_.info->worker_name : move_.consumer;
    pg::Connection& c = net_.at(move_.node);
    pg::Transaction tx(c, pg::Mode::autocommit);
    auto state = consumer_state(tx, net_.queue(), consumer_);
    // The state can't be told when the provider's location is gone, but the row is there.
    pg::Result r = tx.exec(
        "select provider_node, last_tick_id from pgq_node.local_state where queue_name = $1 and consumer_name = $2",
        net_.queue(), consumer_);
    if (r.rows() == 0)
      throw Error("[" + c.label() + "] queue " + net_.queue() + " has no cascaded consumer " + consumer_);
    std::tie(from_, position_) = r.row<std::string, std::int64_t>(0);
    if (worker() && node_.top) position_ = std::min(position_, *node_.top);
  }

  /// Is it registered at the new provider already, by an earlier run?
  bool subscribed() {
    pg::Transaction tx(net_.at(move_.to), pg::Mode::autocommit);
    return pgq::consumer_position(tx, net_.queue(), consumer_).has_value();
  }

  /// A run that was killed may have left it paused, and this one wants it where it is.
  bool resume_left_over() {
    {
      pg::Transaction tx(net_.at(move_.node), pg::Mode::autocommit);
      if (!marked(tx, net_.queue(), consumer_)) return false;
    }
    steps_.take(move_.node, "resume " + consumer_ + " of " + move_.node, resume_foreign(net_.queue(), consumer_));
    return true;
  }

  bool knows_us() {
    pg::Transaction tx(net_.at(move_.to), pg::Mode::autocommit);
    for (auto& member : members(tx, net_.queue()))
      if (member.name == move_.node) return !member.dead;
    return false;
  }

  void check_movable() {
    forced_ = false;
    if (!hooks_.not_movable || !worker()) return;
    auto reasons = hooks_.not_movable(net_.at(move_.node));
    if (reasons.empty()) return;
    std::string text = "node " + move_.node + " should not change its provider now: " + join(reasons, "; ");
    if (!move_.force) throw Refused(text + " (--force overrides: those tables are copied anew)");
    log::warning(text);
    forced_ = true;
  }

  void wait_for_tick(std::int64_t position) {
    wait_until(net_.at(move_.to), net_.queue(), "tick " + std::to_string(position) + " of " + move_.node,
               Deadline(move_.limit),
               [&](pg::Transaction& tx) { return pgq::newest_tick(tx, net_.queue()).value_or(0) >= position; });
  }

  void require_tick(std::int64_t position) {
    pg::Connection& c = net_.at(move_.to);
    pg::Transaction tx(c, pg::Mode::autocommit);
    if (!tx.value<bool>("select exists (select 1 from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue"
                        " where q.queue_name = $1 and t.tick_id = $2)",
                        net_.queue(), position))
      throw Error("[" + c.label() + "] tick " + std::to_string(position) + ", where " + consumer_ + " of " +
                  move_.node + " is, is not in the queue");
    require_no_grave(pgq::consumer_position(tx, net_.queue(), gravestone(from_)), position);
    if (!worker()) return;
    for (Peer* peer : net_.live())
      for (auto& subscriber : peer->subscribers)
        if (subscriber.node == move_.node && subscriber.worker == gravestone(move_.node)) {
          pg::Transaction there(net_.at(peer->name), pg::Mode::autocommit);
          require_no_grave(pgq::consumer_position(there, net_.queue(), subscriber.worker), position);
        }
  }

  /// After a failover both may have a tick of that number, but not the same one. @param end  of the common history
  void require_no_grave(std::optional<std::int64_t> end, std::int64_t position) const {
    if (end && *end < position)
      throw Error("node " + move_.node + " has tick " + std::to_string(position) + " of " + from_ + ", of which " +
                  move_.to + " knows nothing after tick " + std::to_string(*end) +
                  ": they have gone apart; save what you need of it, then drop-node and create it anew");
  }

  void subscribe(std::int64_t position) {
    pg::Transaction tx(net_.at(move_.to));
    if (worker())
      subscribe_node(tx, net_.queue(), move_.node, consumer_, position);
    else
      pgq::register_consumer(tx, net_.queue(), consumer_, position);
    tx.commit();
  }

  Busy busy() {
    const Peer* from = net_.find(from_);
    return from && from->info ? Busy::wait : Busy::end_session;
  }

  void move() {
    while_still(net_.at(move_.node), net_.queue(), consumer_, move_.limit, busy(),
                [&](pg::Transaction& tx, std::int64_t position) {
                  // A branch may have applied a batch and died before its tick: it is to get this batch once more.
                  if (worker() && node_.is(NodeType::branch))
                    position = std::min(position, pgq::newest_tick(tx, net_.queue()).value_or(position));
                  // It may have gone on since, ahead of a new provider that is slower.
                  wait_for_tick(position);
                  require_tick(position);
                  subscribe(position);
                  SKYTOOLS_FAILPOINT("cascade.subscribed");
                  run_command(tx, "pgq_node.change_consumer_provider($1, $2, $3)", {net_.queue(), consumer_, move_.to});
                  if (forced_)
                    for (auto& call : hooks_.after_forced_move) call.run(tx);
                });
  }

  /// Ends what is left at former providers, also of an earlier run. False when there was nothing.
  bool leave_others() {
    bool left = false;
    for (Peer* peer : net_.live()) {
      if (peer->name == move_.to || !reads_from(*peer)) continue;
      Call leave = worker() ? Call{"pgq_node.unregister_subscriber($1, $2)", {net_.queue(), move_.node}}
                            : Call{"select pgq.unregister_consumer($1, $2)", {net_.queue(), consumer_}};
      try {
        steps_.take(peer->name, "end the subscription of " + move_.node + " at " + peer->name, {leave});
        left = true;
      } catch (const pg::SqlError& e) {
        log::warning("the subscription of " + move_.node + " at " + peer->name + " could not be ended: " + e.what());
      }
    }
    if (Peer* old = net_.find(from_); (!old || !old->info) && from_ != move_.to)
      log::warning("node " + from_ + " does not answer: the subscription of " + move_.node + " stays there");
    return left;
  }

  bool reads_from(const Peer& peer) {
    if (!worker()) return peer.name == from_;
    for (auto& subscriber : peer.subscribers)
      if (subscriber.node == move_.node &&
          (subscriber.worker == consumer_ || subscriber.worker == gravestone(move_.node)))
        return true;
    return false;
  }

  Net& net_;
  Steps& steps_;
  const Hooks& hooks_;
  const Move& move_;
  Peer& node_;
  Peer& to_;
  std::string consumer_, from_;
  std::int64_t position_ = 0;
  bool forced_ = false;
};

}  // namespace

void subscribe_node(pg::Transaction& tx, const std::string& queue, const std::string& node, const std::string& worker,
                    std::int64_t position) {
  for (auto& subscriber : subscribers(tx, queue)) {
    if (subscriber.node != node) continue;
    if (subscriber.worker == worker) {
      pgq::register_consumer(tx, queue, worker, position);
      return;
    }
    run_command(tx, "pgq_node.unregister_subscriber($1, $2)", {queue, node});
  }
  run_command(tx, "pgq_node.register_subscriber($1, $2, $3, $4)", {queue, node, worker, position});
}

bool change_provider(Net& net, Steps& steps, const Hooks& hooks, const Move& move) {
  bool changed = Mover(net, steps, hooks, move).run();
  if (changed && !steps.dry_run() && move.consumer.empty()) net.peer(move.node).info->provider_node = move.to;
  return changed;
}

}  // namespace skytools::cascade
