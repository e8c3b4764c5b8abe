#include "core/cascade/failover.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/strings.h"
#include "core/cascade/change_provider.h"
#include "core/cascade/control.h"
#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

class Failing {
 public:
  Failing(Net& net, Steps& steps, const Hooks& hooks, const Failover& request)
      : net_(net), steps_(steps), hooks_(hooks), request_(request) {}

  FailoverResult run() {
    net_.survey(true);
    net_.limit_statements(request_.limit);  // one more node may die on the way
    to_ = &net_.peer(request_.to);
    if (!to_->info) throw Error("node " + to_->name + " cannot take over, it does not answer: " + to_->problem);
    find_dead();
    check();
    find_long_dead();
    if (!living_root()) {
      complete_ticks();
      catch_up_from_the_best();
      tag_dead();
      promote();
    } else {
      tag_dead();
      read_promotion();
    }
    if (orphaned(*to_)) attach(*to_, above(to_->info->provider_node));
    for (Peer* peer : living())
      if (orphaned(*peer)) attach(*peer, provider_for(*peer));
    for (auto& name : dead_) forget(name);
    return result_;
  }

 private:
  bool is_dead(const std::string& name) const { return dead_.contains(name); }

  std::vector<Peer*> living() {
    auto out = net_.live();
    std::erase_if(out, [&](Peer* p) { return is_dead(p->name); });
    return out;
  }

  Peer* living_root() {
    for (Peer* peer : living())
      if (peer->is(NodeType::root)) return peer;
    return nullptr;
  }

  bool orphaned(const Peer& peer) const { return !peer.is(NodeType::root) && is_dead(peer.info->provider_node); }

  void find_dead() {
    dead_.insert(request_.dead.begin(), request_.dead.end());
    for (auto& peer : net_.peers())
      if (peer.dead) dead_.insert(peer.name);  // tagged earlier, maybe by a run of this command
    if (request_.dead.empty() && !to_->is(NodeType::root)) dead_.insert(to_->info->provider_node);
    if (dead_.empty()) throw UsageError("which node is dead? name it with --dead NODE");
    for (auto& name : dead_) net_.peer(name);
    if (is_dead(to_->name)) throw UsageError("node " + to_->name + " cannot be dead and take over");
    result_.dead.assign(dead_.begin(), dead_.end());
  }

  void check() {
    std::vector<std::string> reasons;
    bool alive = false;
    for (auto& name : dead_)
      if (net_.peer(name).info) {
        alive = true;
        reasons.push_back("node " + name + " answers: it is not dead" +
                          (net_.peer(name).is(NodeType::root) && net_.peer(name).open ? " and takes writes" : ""));
      }
    for (auto& peer : net_.peers())
      if (!peer.info && !is_dead(peer.name))
        reasons.push_back("node " + peer.name + " does not answer and is not named dead (" + peer.problem + ")");
    if (!reasons.empty() && !request_.force)
      throw Refused("nothing was changed: " + join(reasons, "; ") + " (" +
                    (alive ? "switchover and change-provider are for living nodes" : "--dead names dead nodes") +
                    ", --force overrides)");
    for (auto& reason : reasons) log::warning("forced: " + reason);
    if (!living_root() && !to_->is(NodeType::branch))
      throw Refused("node " + to_->name + " is a " + std::string(to_string(to_->info->type)) +
                    ": only a branch can become the root");
  }

  /// A batch that is applied, but without its tick, counts; its provider is dead, so nobody else makes that tick.
  void complete_ticks() {
    for (Peer* peer : living()) {
      auto applied = peer->info->last_tick;
      if (!peer->is(NodeType::branch) || !applied || *applied <= peer->top.value_or(0)) continue;
      steps_.wait(peer->name, "wait for the tick of the last batch of " + peer->name,
                  [&] { complete_tick(net_.at(peer->name), net_.queue()); });
      peer->top = applied;
    }
  }

  /// The most advanced living branch has to feed `to` before it becomes the root. Leaves cannot feed.
  void catch_up_from_the_best() {
    Peer* best = to_;
    for (Peer* peer : living())
      if (peer->is(NodeType::branch) && peer->position() > best->position()) best = peer;
    std::int64_t wanted = best->position();
    if (best != to_) {
      log::info("node " + best->name + " has more than " + to_->name + ": it feeds it first",
                {{"tick", wanted}, {"tick_here", to_->position()}});
      steps_.wait(best->name, "see that " + best->name + " has all its ticks",
                  [&] { complete_tick(net_.at(best->name), net_.queue()); });
      move(*to_, *best);
    }
    steps_.wait(to_->name, "wait until " + to_->name + " has tick " + std::to_string(wanted), [&] {
      if (wanted <= to_->position()) return;
      wait_until(net_.at(to_->name), net_.queue(), "tick " + std::to_string(wanted), Deadline(request_.limit),
                 [&](pg::Transaction& tx) { return pgq::newest_tick(tx, net_.queue()).value_or(0) >= wanted; });
    });
    to_->top = wanted;
  }

  /// Does what `from` has reach `peer`?
  bool feeds(const Peer& from, const Peer& peer) {
    const Peer* at = &peer;
    for (std::size_t hops = 0; hops <= net_.peers().size(); ++hops) {
      if (!at || !at->info || at->is(NodeType::root)) return false;
      if (at->info->provider_node == from.name) return true;
      at = net_.find(at->info->provider_node);
    }
    return false;
  }

  void move(Peer& node, Peer& provider) {
    if (change_provider(
            net_, steps_, hooks_,
            {.node = node.name, .to = provider.name, .consumer = {}, .force = true, .limit = request_.limit}))
      result_.moved.push_back(node.name);
  }

  void tag_dead() {
    for (auto& name : dead_)
      for (Peer* peer : living()) {
        if (tagged(*peer, name)) continue;
        steps_.take(peer->name, "tag " + name + " dead on " + peer->name,
                    {{"pgq_node.register_location($1, $2, null, true)", {net_.queue(), name}}});
      }
  }

  bool tagged(const Peer& peer, const std::string& name) {
    pg::Transaction tx(net_.at(peer.name), pg::Mode::autocommit);
    for (auto& member : members(tx, net_.queue()))
      if (member.name == name) return member.dead;
    return true;  // unknown there
  }

  /// Nodes that an earlier failover gave up: no branch has read from them since.
  void find_long_dead() {
    for (auto& name : dead_)
      if (net_.peer(name).dead) long_dead_.insert(name);
    for (Peer* peer : living())
      if (peer->is(NodeType::branch)) long_dead_.erase(peer->info->provider_node);
  }

  /// Where the queue is held for a dead node. One that was given up before the present root died has left the common
  /// history earlier: its gravestone died with that root, but the watermark has not passed it.
  std::int64_t end_of(const std::string& name, std::int64_t last) const {
    return long_dead_.contains(name) ? std::min(last, to_->info->global_watermark.value_or(last)) : last;
  }

  /// Promotion and gravestones are one transaction: where the dead root's history ends must not be forgotten.
  void promote() {
    result_.promoted = true;
    std::vector<std::string> texts{Call{"pgq_node.promote_branch($1)", {net_.queue()}}.text()};
    std::vector<std::string> buried;
    for (auto& name : dead_)
      if (!fed_by(name)) buried.push_back(name);
    for (auto& name : buried)
      texts.push_back(Call{"pgq_node.register_subscriber($1, $2, $3, $4)",
                           {net_.queue(), name, gravestone(name), end_of(name, to_->position())}}
                          .text());
    steps_.take(to_->name, "promote " + to_->name, join(texts, "; "), [&] {
      pg::Connection& c = net_.at(to_->name);
      complete_tick(c, net_.queue());
      while_still(c, net_.queue(), to_->info->worker_name, request_.limit, Busy::end_session,
                  [&](pg::Transaction& tx, std::int64_t) {
                    run_command(tx, "pgq_node.promote_branch($1)", {net_.queue()});
                    std::int64_t last = pgq::newest_tick(tx, net_.queue()).value_or(0);
                    for (auto& name : buried)
                      run_command(tx, "pgq_node.register_subscriber($1, $2, $3, $4)",
                                  {net_.queue(), name, gravestone(name), end_of(name, last)});
                    to_->top = last;
                  });
    });
    to_->info->type = NodeType::root;
    for (auto& name : buried) graves_[name] = end_of(name, to_->position());
    note_promotion(to_->position());
  }

  /// Of an earlier run.
  void read_promotion() {
    Peer* root = living_root();
    pg::Transaction tx(net_.at(root->name), pg::Mode::autocommit);
    for (auto& name : dead_)
      if (auto tick = pgq::consumer_position(tx, net_.queue(), gravestone(name))) graves_[name] = *tick;
    // The latest of several deaths made this node the root.
    std::int64_t latest = 0;
    for (auto& [name, tick] : graves_) latest = std::max(latest, tick);
    if (latest) note_promotion(latest);
  }

  void note_promotion(std::int64_t tick) {
    result_.last_tick = tick;
    for (Peer* peer : living()) {  // in a rehearsal the new root may lack it still
      if (peer->is(NodeType::leaf)) continue;
      pg::Transaction tx(net_.at(peer->name), pg::Mode::autocommit);
      pg::Result r = tx.exec(
          "select t.tick_time from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue"
          " where q.queue_name = $1 and t.tick_id = $2",
          net_.queue(), tick);
      if (r.rows() == 0) continue;
      result_.last_tick_time = std::string(r.text(0, 0));
      return;
    }
  }

  /// The living node that a node reads from.
  Peer* fed_by(const std::string& name) {
    for (Peer* peer : living())
      for (auto& subscriber : peer->subscribers)
        if (subscriber.node == name && subscriber.worker != gravestone(name)) return peer;
    return nullptr;
  }

  /// The next living node above a dead one.
  Peer& above(const std::string& dead) {
    if (Peer* peer = fed_by(dead)) return *peer;
    return *living_root();
  }

  /// Siblings go below `to` where it has their tick; what it doesn't have yet the node above the dead one has.
  Peer& provider_for(const Peer& orphan) {
    bool can_feed = !to_->is(NodeType::leaf) && to_ != &orphan && !feeds(orphan, *to_);
    if (can_feed && (to_->is(NodeType::root) || to_->position() >= orphan.position())) return *to_;
    return above(orphan.info->provider_node);
  }

  void attach(Peer& orphan, Peer& provider) {
    auto grave = graves_.find(orphan.info->provider_node);
    if (grave == graves_.end() || orphan.position() <= grave->second) return move(orphan, provider);
    result_.stranded.push_back({orphan.name, orphan.position()});
    bury(orphan.name, grave->second);
  }

  /// A gravestone of its own tells where a stranded node left the history, also when its provider has been brought
  /// back.
  void bury(const std::string& name, std::int64_t tick) {
    Peer& root = *living_root();
    for (auto& subscriber : root.subscribers)
      if (subscriber.node == name && subscriber.worker == gravestone(name)) return;
    steps_.take(
        root.name, "remember that " + name + " has more",
        Call{"pgq_node.register_subscriber($1, $2, $3, $4)", {net_.queue(), name, gravestone(name), tick}}.text(), [&] {
          pg::Transaction tx(net_.at(root.name));
          subscribe_node(tx, net_.queue(), name, gravestone(name), tick);
          tx.commit();
        });
  }

  /// A dead node below a living one holds the queue there no longer.
  void forget(const std::string& name) {
    if (Peer* peer = fed_by(name))
      steps_.take(peer->name, "end the subscription of " + name + " at " + peer->name,
                  {{"pgq_node.unregister_subscriber($1, $2)", {net_.queue(), name}}});
  }

  Net& net_;
  Steps& steps_;
  const Hooks& hooks_;
  const Failover& request_;
  Peer* to_ = nullptr;
  std::set<std::string> dead_, long_dead_;
  std::map<std::string, std::int64_t> graves_;  ///< the last tick of a dead node that the new root has, by its name
  FailoverResult result_;
};

}  // namespace

FailoverResult failover(Net& net, Steps& steps, const Hooks& hooks, const Failover& request) {
  return Failing(net, steps, hooks, request).run();
}

}  // namespace skytools::cascade
