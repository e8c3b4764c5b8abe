#include "core/cascade/switchover.h"

#include <algorithm>

#include "core/base/failpoint.h"
#include "core/base/strings.h"
#include "core/cascade/change_provider.h"
#include "core/cascade/closing.h"
#include "core/cascade/control.h"
#include "core/cascade/gates.h"
#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

constexpr milliseconds kFollowLimit(5000);  ///< for the old root's worker to see its new provider

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

  void catch_up() { wait_position(from_->top.value_or(0), Deadline(request_.limit)); }

  void wait_position(std::int64_t tick, const Deadline& deadline) {
    // The tick is the last thing a branch does of a batch.
    wait_until(net_.at(to_->name), net_.queue(), "tick " + std::to_string(tick), deadline,
               [&](pg::Transaction& tx) { return pgq::newest_tick(tx, net_.queue()).value_or(0) >= tick; });
  }

  /// The write pause. Until the promotion is known to have happened, whatever goes wrong opens the old root again.
  void hand_over() {
    const std::string& queue = net_.queue();
    if (steps_.dry_run()) result_.pause = rehearse(net_, *from_, *to_, std::chrono::seconds(10));
    Deadline deadline(request_.limit);
    net_.limit_statements(request_.limit);
    auto closed_at = Clock::now();
    try {
      steps_.take(from_->name, "close " + from_->name + " for writes",
                  {{"pgq_node.demote_root($1, 1, null)", {queue}}});
      pause_merges(net_, steps_, *from_, deadline);
      make_last_tick(net_, steps_, from_->name, deadline);
      steps_.wait(to_->name, "wait until " + to_->name + " has the last tick", [&] {
        pg::Transaction tx(net_.at(from_->name), pg::Mode::autocommit);
        result_.last_tick = pgq::newest_tick(tx, queue).value_or(0);
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

  /// The promotion's outcome may have been lost with its connection: the node is asked.
  bool promoted_after_all() {
    try {
      auto c = net_.rescue(to_->name);
      pg::Transaction tx(*c);
      // A COMMIT that is still on its way has this row locked.
      tx.exec("select 1 from pgq_node.node_info where queue_name = $1 for share", net_.queue());
      auto info = node_info(tx, net_.queue());
      return info && info->type == NodeType::root;
    } catch (const Error&) {
      if (!promoting_) return false;
      std::throw_with_nested(Error("whether " + to_->name + " was promoted is unknown, so " + from_->name +
                                   " stays closed for writes; run the same command again once " + to_->name +
                                   " answers"));
    }
  }

  [[noreturn]] void take_back(const Error& reason) {
    try {
      auto c = net_.rescue(from_->name);
      reopen_root(*c, net_.queue());
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
    for (Peer* peer : net_.live())
      for (auto& subscriber : peer->subscribers)
        if (peer != to_ && subscriber.node == to_->name)
          steps_.take(peer->name, "end the subscription of " + to_->name + " at " + peer->name,
                      {{"pgq_node.unregister_subscriber($1, $2)", {queue, to_->name}}});
    steps_.take(from_->name, "make " + from_->name + " a branch of " + to_->name,
                {{"pgq_node.demote_root($1, 3, $2)", {queue, to_->name}}});
    if (!steps_.dry_run()) resume_merges(net_, steps_, *from_);
    steps_.wait(from_->name, "wait until the worker of " + from_->name + " follows", [&] { wait_follower(worker); });
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

  void wait_follower(const std::string& worker) {
    try {
      wait_until(net_.at(from_->name), net_.queue(), worker, Deadline(kFollowLimit), [&](pg::Transaction& tx) {
        auto state = consumer_state(tx, net_.queue(), worker);
        return state && state->uptodate;
      });
    } catch (const TimedOut&) {
      log::warning("worker " + worker + " of " + from_->name + " has not answered yet; it follows once it runs");
    } catch (const Stopped&) {  // everything is done but the waiting
    }
  }

  Net& net_;
  Steps& steps_;
  const Hooks& hooks_;
  const Switchover& request_;
  Peer* to_ = nullptr;
  Peer* from_ = nullptr;
  bool promoting_ = false, subscribed_ = false;
  SwitchoverResult result_;
};

}  // namespace

SwitchoverResult switchover(Net& net, Steps& steps, const Hooks& hooks, const Switchover& request) {
  return Switcher(net, steps, hooks, request).run();
}

}  // namespace skytools::cascade
