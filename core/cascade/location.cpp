#include "core/cascade/location.h"

#include <algorithm>

#include "core/cascade/identity.h"
#include "core/log/log.h"

namespace skytools::cascade {

namespace {

/// What one node knows about a member.
std::optional<Member> known_at(pg::Connection& c, const std::string& queue, const std::string& name) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  for (auto& member : members(tx, queue))
    if (member.name == name) return member;
  return std::nullopt;
}

class Relocator {
 public:
  Relocator(Net& net, Steps& steps, const Relocation& request)
      : net_(net), steps_(steps), request_(request), node_(net.peer(request.node)) {}

  bool run() {
    through_ = std::make_unique<pg::Connection>(
        "new location", request_.location,
        pg::ConnectOptions{
            .connect_timeout = net_.limit(), .stop = &net_.stop(), .application_name = "skytools admin"});
    prove();
    warn_if_local_only(request_.location);
    bool changed = false;
    for (auto* peer : in_order()) changed |= tell(*peer);
    for (auto& peer : net_.peers())
      if (!peer.info) log::warning("node " + peer.name + " does not answer; it is told by the root: " + peer.problem);
    return changed;
  }

 private:
  void prove() {
    if (node_.info) {
      if (!same_database(net_.at(node_.name), *through_))
        throw Error("[" + through_->label() + "] this is not the database of node " + node_.name);
      return;
    }
    // It moved, so the old string is of no use: then its name must do.
    Peer there;
    read_peer(*through_, net_.queue(), there);
    if (there.info->name != node_.name)
      throw Error("[" + through_->label() + "] the node of queue " + net_.queue() + " there is " + there.info->name +
                  ", not " + node_.name);
    node_.info = there.info;
    moved_ = true;
  }

  /// The root first: its event goes to everybody in order.
  std::vector<Peer*> in_order() {
    auto live = net_.live();
    std::stable_partition(live.begin(), live.end(), [](Peer* p) { return p->is(NodeType::root); });
    if (live.empty() || !live[0]->is(NodeType::root)) {
      if (!request_.force)
        throw Refused("no root of queue " + net_.queue() +
                      " answers, nodes that are not reached now would not learn of the change (--force overrides)");
      log::warning("no root of queue " + net_.queue() + " answers: only the nodes that are reached now learn of it");
    }
    return live;
  }

  bool tell(Peer& peer) {
    pg::Connection& at = moved_ && peer.name == node_.name ? *through_ : net_.at(peer.name);
    auto known = known_at(at, net_.queue(), node_.name);
    if (known && known->location == request_.location) return false;
    bool dead = known ? known->dead : node_.dead;
    steps_.take(at, peer.name, "set the location of " + node_.name + " on " + peer.name,
                {{"pgq_node.register_location($1, $2, $3, $4)", {net_.queue(), node_.name, request_.location, dead}}});
    return true;
  }

  Net& net_;
  Steps& steps_;
  const Relocation& request_;
  Peer& node_;
  std::unique_ptr<pg::Connection> through_;
  bool moved_ = false;
};

void check_tag(Net& net, const Peer& peer, bool dead) {
  if (!dead) {
    if (!peer.info) throw Refused("node " + peer.name + " does not answer: " + peer.problem + " (--force overrides)");
    return;
  }
  if (peer.name == net.local_name())
    throw Refused("node " + peer.name + " is the one at --db, it cannot be dead (--force overrides)");
  if (peer.is(NodeType::root)) throw Refused("node " + peer.name + " is the root and answers (--force overrides)");
  if (peer.info) throw Refused("node " + peer.name + " answers, so it is not dead (--force overrides)");
}

}  // namespace

bool set_location(Net& net, Steps& steps, const Relocation& request) { return Relocator(net, steps, request).run(); }

std::vector<std::string> tag(Net& net, Steps& steps, const std::vector<std::string>& nodes, bool dead, bool force) {
  for (auto& name : nodes) {
    auto& peer = net.peer(name);
    if (!force && peer.dead != dead) check_tag(net, peer, dead);
  }
  // Whom nobody reaches has to learn it from the root's event.
  auto live = net.live();
  std::stable_partition(live.begin(), live.end(), [](Peer* p) { return p->is(NodeType::root); });
  std::vector<std::string> changed;
  for (auto& name : nodes) {
    bool any = false;
    for (Peer* at : live) {
      auto known = known_at(net.at(at->name), net.queue(), name);
      if (!known || known->dead == dead) continue;
      any = true;
      steps.take(at->name, "tag " + name + (dead ? " dead on " : " alive on ") + at->name,
                 {{"pgq_node.register_location($1, $2, null, $3)", {net.queue(), name, dead}}});
    }
    if (any && std::find(changed.begin(), changed.end(), name) == changed.end()) changed.push_back(name);
  }
  return changed;
}

}  // namespace skytools::cascade
