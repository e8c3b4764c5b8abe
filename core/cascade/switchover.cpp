#include "core/cascade/switchover.h"

#include <algorithm>

#include "core/base/duration.h"
#include "core/base/strings.h"
#include "core/cascade/change_provider.h"
#include "core/cascade/closing.h"
#include "core/cascade/control.h"
#include "core/cascade/foreign.h"
#include "core/cascade/gates.h"
#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

constexpr milliseconds kOutcomeLimit(10'000);  ///< for a lost session on the new root to end
constexpr milliseconds kFollowLimit(5000);     ///< for a worker to see its new role

class Switcher {
 public:
  Switcher(Net& net, Steps& steps, const Hooks& hooks, const Switchover& request)
      : net_(net), steps_(steps), hooks_(hooks), request_(request) {}

  SwitchoverResult run() {
    net_.survey();
    to_ = &net_.peer(request_.to);
    if (!to_->info) throw Error("node " + to_->name + " does not answer: " + to_->problem);
    find_root();
    if (!from_) return result_;
    result_.from = from_->name;
    if (to_->is(NodeType::root)) {
      log::info("node " + to_->name + " is the root already, " + from_->name + " has to follow");
      require_common_end();
      calm_old_worker();
    } else {
      prepare();
      hand_over();
    }
    complete();
    return result_;
  }

 private:
  void find_root() {
    auto roots = net_.roots();
    std::erase(roots, to_);
    if (roots.size() > 1)
      throw Refused("queue " + net_.queue() + " has several roots: " + roots[0]->name + ", " + roots[1]->name +
                    "; bring the wrong one back with: skytools cascade resurrect");
    if (!roots.empty()) from_ = roots[0];
    if (to_->is(NodeType::root)) {
      if (from_ && from_->open)
        throw Refused("two roots take writes: " + from_->name + " and " + to_->name +
                      "; bring the wrong one back with: skytools cascade resurrect");
      if (!from_ && to_->closing) reopen();
      return;
    }
    if (to_->is(NodeType::leaf)) throw Refused("node " + to_->name + " is a leaf: only a branch can become the root");
    if (!from_)
      throw Error("no root of queue " + net_.queue() + " answers; if it is dead: skytools cascade failover --to " +
                  to_->name);
  }

  /// A switchover away from this root was cut off. Who does not answer may be the root by now.
  void reopen() {
    for (auto& peer : net_.peers())
      if (!peer.info && !peer.dead && !request_.force)
        throw Refused("node " + to_->name + " is closed for writes since a switchover that was cut off, and " +
                      peer.name + ", which does not answer, may have become the root: " + peer.problem +
                      " (tag-dead gives it up, --force overrides)");
    steps_.take(to_->name, "open " + to_->name + " for writes again",
                Call{"pgq_node.demote_root($1, 0, null)", {net_.queue()}}.text(),
                [&] { reopen_root(net_.at(to_->name), net_.queue()); });
    if (!steps_.dry_run()) resume_merges(net_, steps_, *to_);
    result_.reopened = true;
  }

  /// A switchover that was cut off after the promotion: what the old root said last must be known to the new one.
  void require_common_end() {
    result_.last_tick = from_->top.value_or(0);
    if (!knows_last_tick())
      throw Refused("the last tick of " + from_->name + " is unknown to the root " + to_->name +
                    ": they have gone apart; on " + from_->name + " run: skytools cascade resurrect");
  }

  /// A tick of the same number may be another one: then they had different roots for a while.
  bool knows_last_tick() {
    auto time_at = [&](const Peer& peer) {
      pg::Transaction tx(net_.at(peer.name), pg::Mode::autocommit);
      return tick_time(tx, net_.queue(), result_.last_tick);
    };
    auto time = time_at(*to_);
    return time && time == time_at(*from_);
  }

  /// What changes no role, and may fail.
  void prepare() {
    try {
      pass_gates();
      gather();
    } catch (const Error&) {
      if (!from_->closing) throw;
      std::throw_with_nested(Error("node " + from_->name +
                                   " is closed for writes since a switchover that was cut off, and still is; to open "
                                   "it again: skytools cascade switchover --to " +
                                   from_->name));
    }
  }

  void pass_gates() {
    result_.unpassed = closed_gates(net_, hooks_, *from_, *to_, request_.limit);
    if (result_.unpassed.empty() || steps_.dry_run()) return;
    std::string text = join(result_.unpassed, "; ");
    if (!request_.force)
      throw Refused("nothing was changed, " + to_->name + " cannot take over now: " + text + " (--force overrides)");
    log::warning("forced: " + text);
  }

  /// Everything that can be done while writes go on.
  void gather() {
    if (request_.all) {
      move(*to_, *from_);  // whoever feeds it now is going to read from it
      for (Peer* peer : net_.live())
        if (peer != to_ && !peer->is(NodeType::root) && peer->info->provider_node == from_->name) move(*peer, *to_);
    }
    steps_.wait(to_->name, "wait until " + to_->name + " has caught up", [&] { catch_up(); });
  }

  void move(const Peer& node, const Peer& to) {
    change_provider(net_, steps_, hooks_, {.node = node.name, .to = to.name, .consumer = {}, .force = request_.force});
  }

  void catch_up() {
    try {
      wait_position(from_->top.value_or(0), Deadline(request_.limit));
    } catch (const TimedOut&) {
      throw TimedOut("nothing was changed: " + to_->name + " has not caught up with " + from_->name + " within " +
                     format_duration(request_.limit) + " (--timeout)");
    }
  }

  void wait_position(std::int64_t tick, const Deadline& deadline) {
    // The tick is the last thing a branch does of a batch.
    wait_until(net_.at(to_->name), net_.queue(), "tick " + std::to_string(tick), deadline,
               [&](pg::Transaction& tx) { return pgq::newest_tick(tx, net_.queue()).value_or(0) >= tick; });
  }

  /// The original's worker of a root ends itself when it finds the role changed under it, so it is paused before. It
  /// may take its time to answer: writes go on meanwhile.
  void calm_old_worker() {
    pg::Connection& c = net_.at(from_->name);
    const std::string& worker = from_->info->worker_name;
    {
      pg::Transaction tx(c, pg::Mode::autocommit);
      calmed_ = to_be_paused(tx, net_.queue(), worker);
    }
    if (!calmed_) return;
    steps_.take(from_->name, "pause worker " + worker + " of " + from_->name,
                Call{"pgq_node.set_consumer_paused($1, $2, true)", {net_.queue(), worker}}.text(),
                [&] { pause_foreign(c, net_.queue(), worker, kForeignAnswer); });
  }

  /// The write pause. Until the promotion is known to have happened, whatever goes wrong opens the old root again.
  void hand_over() {
    const std::string& queue = net_.queue();
    if (steps_.dry_run()) result_.pause = rehearse(net_, *from_, *to_, std::chrono::seconds(10));
    net_.limit_statements(request_.limit);
    auto closed_at = Clock::now();
    try {
      calm_old_worker();
      Deadline deadline(request_.limit);
      closed_at = Clock::now();
      steps_.take(from_->name, "close " + from_->name + " for writes",
                  {{"pgq_node.demote_root($1, 1, null)", {queue}}});
      pause_merges(net_, steps_, *from_, deadline);
      make_last_tick(net_, steps_, from_->name, deadline);
      steps_.wait(to_->name, "wait until " + to_->name + " has the last tick", [&] {
        pg::Transaction tx(net_.at(from_->name), pg::Mode::autocommit);
        result_.last_tick = pgq::newest_tick(tx, queue).value_or(0);
        wake_new_root();
        wait_position(result_.last_tick, deadline);
        if (!knows_last_tick())
          throw Error("tick " + std::to_string(result_.last_tick) + " of " + to_->name + " is not the one of " +
                      from_->name + ": they have different histories");
      });
      net_.stop().check();
      steps_.take(to_->name, "promote " + to_->name + " and subscribe " + from_->name + " there",
                  Call{"pgq_node.promote_branch($1)", {queue}}.text() + "; " + subscription().text(),
                  [&] { promote(deadline); });
    } catch (const Error& e) {
      if (!steps_.dry_run() && !promoted_after_all()) take_back(e);
    }
    if (!steps_.dry_run()) result_.pause = std::chrono::ceil<milliseconds>(Clock::now() - closed_at);
  }

  /// A worker of ours below the original's schema hears of no tick and would look once per loop_delay only.
  void wake_new_root() {
    pg::Transaction tx(net_.at(to_->name), pg::Mode::autocommit);
    tx.exec("select pg_catalog.pg_notify($1, $2)", kNodeChannel, net_.queue());
  }

  /// The old root's place is kept from the start, whenever it comes to follow.
  void promote(const Deadline& deadline) {
    pg::Transaction tx(net_.at(to_->name));
    tx.exec("select set_config('lock_timeout', $1, true)", std::to_string(deadline.left().count() + 1) + "ms");
    // Behind a worker that is about to commit.
    tx.exec("select 1 from pgq_node.local_state where queue_name = $1 and consumer_name = $2 for update", net_.queue(),
            to_->info->worker_name);
    run_command(tx, "pgq_node.promote_branch($1)", {net_.queue()});
    subscribe_node(tx, net_.queue(), from_->name, from_->info->worker_name, result_.last_tick);
    promoting_ = true;
    tx.commit();
    subscribed_ = true;
  }

  /// The promotion's outcome may have been lost with its connection: the node is asked, behind whatever still goes on
  /// there.
  bool promoted_after_all() {
    if (!promoting_) return false;
    try {
      auto c = net_.rescue(to_->name);
      pg::Transaction tx(*c);
      tx.exec("select set_config('lock_timeout', $1, true)", std::to_string(kOutcomeLimit.count()) + "ms");
      return tx.value<std::string>("select node_type from pgq_node.node_info where queue_name = $1 for update",
                                   net_.queue()) == to_string(NodeType::root);
    } catch (const Error&) {
      std::throw_with_nested(Error("whether " + to_->name + " was promoted is unknown, so " + from_->name +
                                   " stays closed for writes; run the same command again once " + to_->name +
                                   " answers"));
    }
  }

  void resume_old_worker(pg::Connection& c) {
    pg::Transaction tx(c);
    for (auto& call : resume_foreign(net_.queue(), from_->info->worker_name)) call.run(tx);
    tx.commit();
  }

  [[noreturn]] void take_back(const Error& reason) {
    try {
      auto c = net_.rescue(from_->name);
      reopen_root(*c, net_.queue());
      if (calmed_) resume_old_worker(*c);
      resume_merges(net_, steps_, *from_);
    } catch (const Error& e) {
      log::error(e.what());
      std::throw_with_nested(Error("the switchover failed (" + describe(reason) + ") and " + from_->name +
                                   " could not be opened again: run the same command once more"));
    }
    bool stopped = dynamic_cast<const Stopped*>(&reason) != nullptr;
    std::string text = "the switchover was taken back, " + from_->name +
                       " is the root and takes writes again: " + (stopped ? "interrupted" : describe(reason));
    if (dynamic_cast<const TimedOut*>(&reason)) throw TimedOut(text);
    throw Error(text);
  }

  /// After the promotion there is only forward.
  void complete() {
    net_.limit_statements(std::max(request_.limit, net_.limit()));
    try {
      follow();
    } catch (const Error&) {
      std::throw_with_nested(Error("node " + to_->name +
                                   " is the root now, but the rest is not done; run the same "
                                   "command again to complete it"));
    }
  }

  void follow() {
    const std::string& queue = net_.queue();
    const std::string worker = from_->info->worker_name;
    if (!subscribed_ && !steps_.dry_run() && !reads_already(worker))
      steps_.take(to_->name, "subscribe " + from_->name + " at " + to_->name, subscription().text(), [&] {
        pg::Transaction tx(net_.at(to_->name));
        subscribe_node(tx, queue, from_->name, worker, result_.last_tick);
        tx.commit();
      });
    wait_for_foreign_root();
    for (Peer* peer : net_.live())
      if (peer != to_ && !peer->is(NodeType::leaf) && feeds(*peer))
        steps_.take(peer->name, "end the subscription of " + to_->name + " at " + peer->name,
                    {{"pgq_node.unregister_subscriber($1, $2)", {queue, to_->name}}});
    std::vector<Call> demote{{"pgq_node.demote_root($1, 3, $2)", {queue, to_->name}}};
    if (calmed_)
      for (auto& call : resume_foreign(queue, worker)) demote.push_back(call);
    steps_.take(from_->name, "make " + from_->name + " a branch of " + to_->name, demote);
    if (!steps_.dry_run()) resume_merges(net_, steps_, *from_);
    steps_.wait(from_->name, "wait until the worker of " + from_->name + " follows", [&] {
      try {
        wait_seen(*from_);
      } catch (const Stopped&) {  // everything is done but the waiting
      }
    });
  }

  /// Asked anew: `all` may have moved the new root below the old one just before.
  bool feeds(const Peer& peer) {
    pg::Transaction tx(net_.at(peer.name), pg::Mode::autocommit);
    for (auto& subscriber : subscribers(tx, net_.queue()))
      if (subscriber.node == to_->name) return true;
    return false;
  }

  Call subscription() const {
    return {"pgq_node.register_subscriber($1, $2, $3, $4)",
            {net_.queue(), from_->name, from_->info->worker_name,
             steps_.dry_run() ? pg::Param("<last tick>") : pg::Param(result_.last_tick)}};
  }

  /// Subscribed by an earlier run, and maybe further on by now.
  bool reads_already(const std::string& worker) {
    pg::Transaction tx(net_.at(to_->name), pg::Mode::autocommit);
    for (auto& subscriber : subscribers(tx, net_.queue()))
      if (subscriber.node == from_->name && subscriber.worker == worker)
        return pgq::consumer_position(tx, net_.queue(), worker).value_or(0) >= result_.last_tick;
    return false;
  }

  /// Until the node's worker has seen what changed.
  void wait_seen(const Peer& node) {
    const std::string& worker = node.info->worker_name;
    try {
      wait_until(net_.at(node.name), net_.queue(), worker, Deadline(kFollowLimit), [&](pg::Transaction& tx) {
        auto state = consumer_state(tx, net_.queue(), worker);
        return state && state->uptodate;
      });
    } catch (const TimedOut&) {
      log::warning("worker " + worker + " of " + node.name + " has not answered yet; it follows once it runs");
    }
  }

  /// The original's worker reports its last batch where it was subscribed, after its tick, and ends itself when it is
  /// not known there any more.
  void wait_for_foreign_root() {
    {
      pg::Transaction tx(net_.at(to_->name), pg::Mode::autocommit);
      if (ours_runs(tx, net_.queue())) return;
    }
    steps_.wait(to_->name, "wait until the worker of " + to_->name + " knows", [&] { wait_seen(*to_); });
  }

  Net& net_;
  Steps& steps_;
  const Hooks& hooks_;
  const Switchover& request_;
  Peer* to_ = nullptr;
  Peer* from_ = nullptr;
  bool promoting_ = false, subscribed_ = false;
  bool calmed_ = false;  ///< the old root's worker is paused meanwhile
  SwitchoverResult result_;
};

}  // namespace

SwitchoverResult switchover(Net& net, Steps& steps, const Hooks& hooks, const Switchover& request) {
  return Switcher(net, steps, hooks, request).run();
}

}  // namespace skytools::cascade
