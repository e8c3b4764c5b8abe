#include "core/cascade/drop_node.h"

#include <set>

#include "core/base/strings.h"
#include "core/cascade/control.h"
#include "core/log/log.h"

namespace skytools::cascade {

namespace {

/// What a node can have left on the queue of another one, beside what pgq_node.drop_node() takes away. $2 node, $3 its
/// worker or NULL, $4 its other cascaded consumers that read here.
constexpr const char* kLeftConsumers =
    "from pgq.subscription s join pgq.consumer c on c.co_id = s.sub_consumer join pgq.queue q on q.queue_id = "
    "s.sub_queue where q.queue_name = $1 and (c.co_name in ('.' || $2::text || '.watermark', $2 || '.gravestone',"
    " '.' || $2 || '.gravestone', $2 || '.dumper')"
    " or left(c.co_name, length($3::text) + 6) = $3 || '.copy.' or c.co_name = any ($4::text[]))";

constexpr milliseconds kLockLimit(30'000);  ///< for locks a worker of the node may hold

class Dropper {
 public:
  Dropper(Net& net, Steps& steps, const Hooks& hooks, const NodeDrop& request)
      : net_(net), steps_(steps), hooks_(hooks), request_(request), node_(net.peer(request.node)) {}

  bool run() {
    check_subscribers();
    check_root();
    read_consumers();
    warn();
    // Whoever is at --db comes last: as long as it knows the node, the same command can be run again.
    bool local_is_node = node_.name == net_.local_name();
    if (!local_is_node) drop_own();
    for (Peer* peer : in_order()) forget_at(*peer);
    if (local_is_node) drop_own();
    return cleaned_;
  }

 private:
  void check_subscribers() {
    std::set<std::string> fed;
    for (auto& peer : net_.peers()) {
      if (&peer == &node_ || !peer.info) continue;
      pg::Transaction tx(net_.at(peer.name), pg::Mode::autocommit);
      pg::Result r =
          tx.exec("select consumer_name from pgq_node.local_state where queue_name = $1 and provider_node = $2",
                  net_.queue(), node_.name);
      for (int i = 0; i < r.rows(); ++i)
        fed.insert(r.text(i, 0) == peer.info->worker_name ? peer.name : std::string(r.text(i, 0)) + " on " + peer.name);
    }
    // Of those that don't answer, it is known only what the node itself believes.
    for (auto& subscriber : node_.subscribers) {
      Peer* peer = net_.find(subscriber.node);
      if (peer && !peer->info && !subscriber.worker.ends_with(".gravestone")) fed.insert(subscriber.node);
    }
    if (!fed.empty())
      throw Refused("node " + node_.name + " still has subscribers: " + join({fed.begin(), fed.end()}, ", ") +
                    "; move them first with: skytools cascade change-provider, or drop them");
  }

  void check_root() {
    auto roots = net_.roots();
    std::erase(roots, &node_);
    if (!roots.empty()) return;
    bool last = net_.peers().size() == 1;
    if (node_.is(NodeType::root) && !last)
      throw Refused("node " + node_.name + " is the root; another node takes over with: skytools cascade switchover");
    if (node_.is(NodeType::root) || request_.force) return;
    throw Refused("no root of queue " + net_.queue() + " answers, so who does not answer now would not learn of it" +
                  (node_.info ? "" : "; if " + node_.name + " was the root: skytools cascade failover") +
                  " (--force overrides)");
  }

  void read_consumers() {
    for (Peer* peer : net_.live())
      for (auto& subscriber : peer->subscribers)
        if (subscriber.node == node_.name && !subscriber.worker.ends_with(".gravestone")) worker_ = subscriber.worker;
    if (!node_.info) return;
    worker_ = node_.info->worker_name;
    pg::Transaction tx(net_.at(node_.name), pg::Mode::autocommit);
    pg::Result r =
        tx.exec("select consumer_name from pgq_node.local_state where queue_name = $1 and consumer_name <> $2",
                net_.queue(), *worker_);
    for (int i = 0; i < r.rows(); ++i) others_.emplace_back(r.text(i, 0));
    if (ours_runs(tx, net_.queue())) log::warning("the worker of " + node_.name + " still runs: stop it");
  }

  void warn() {
    for (auto& peer : net_.peers())
      if (!peer.info && !peer.dead && &peer != &node_)
        log::warning("node " + peer.name + " does not answer; its worker learns from the root that " + node_.name +
                     " is gone: " + peer.problem);
  }

  /// The root's event takes the node from the lists of all others, so what needs that list is done before.
  std::vector<Peer*> in_order() {
    std::vector<Peer*> nodes, last;
    Peer* local = net_.find(net_.local_name());
    for (Peer* peer : net_.live())
      if (peer != &node_ && peer != local) (peer->is(NodeType::root) ? last : nodes).push_back(peer);
    nodes.insert(nodes.end(), last.begin(), last.end());
    if (local != &node_) nodes.push_back(local);
    return nodes;
  }

  void drop_own() {
    if (!node_.info) {
      cleaned_ = has_no_node();
      if (!cleaned_)
        log::warning("node " + node_.name + " does not answer, its database stays as it is: " + node_.problem);
      return;
    }
    std::vector<Call> calls = {
        {"select set_config('lock_timeout', $1, true)", {std::to_string(kLockLimit.count()) + "ms"}}};
    if (hooks_.before_drop)
      for (auto& call : hooks_.before_drop(net_.at(node_.name))) calls.push_back(call);
    calls.push_back({"pgq_node.drop_node($1, $2)", {net_.queue(), node_.name}});
    steps_.take(node_.name, "remove node " + node_.name + " from its database", calls);
  }

  /// Was it cleaned by an earlier run?
  bool has_no_node() {
    try {
      pg::Transaction tx(net_.at(node_.name), pg::Mode::autocommit);
      return !node_info(tx, net_.queue());
    } catch (const pg::SqlError&) {
      return false;
    }
  }

  /// Only the consumers that read from that node: others may have the same name by chance.
  std::string others_at(const Peer& peer) const {
    if (!node_.info || node_.info->provider_node != peer.name) return "{}";
    std::string out;
    for (auto& name : others_) out += (out.empty() ? "\"" : ",\"") + escaped(name) + "\"";
    return "{" + out + "}";
  }

  static std::string escaped(const std::string& name) {
    std::string out;
    for (char c : name) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out;
  }

  bool knows(Peer& peer) {
    pg::Transaction tx(net_.at(peer.name), pg::Mode::autocommit);
    for (auto& member : members(tx, net_.queue()))
      if (member.name == node_.name) return true;
    return false;
  }

  bool left_at(Peer& peer) {
    pg::Transaction tx(net_.at(peer.name), pg::Mode::autocommit);
    return tx.value<bool>(std::string("select exists (select 1 ") + kLeftConsumers + ")", net_.queue(), node_.name,
                          worker_, others_at(peer));
  }

  void forget_at(Peer& peer) {
    std::vector<Call> calls;
    if (knows(peer)) calls.push_back({"pgq_node.drop_node($1, $2)", {net_.queue(), node_.name}});
    if (!peer.is(NodeType::leaf) && left_at(peer))
      calls.push_back({std::string("select pgq.unregister_consumer($1, c.co_name) ") + kLeftConsumers,
                       {net_.queue(), node_.name, worker_, others_at(peer)}});
    if (!calls.empty()) steps_.take(peer.name, "forget " + node_.name + " on " + peer.name, calls);
  }

  Net& net_;
  Steps& steps_;
  const Hooks& hooks_;
  const NodeDrop& request_;
  Peer& node_;
  std::optional<std::string> worker_;
  std::vector<std::string> others_;
  bool cleaned_ = true;
};

}  // namespace

bool drop_node(Net& net, Steps& steps, const Hooks& hooks, const NodeDrop& request) {
  return Dropper(net, steps, hooks, request).run();
}

}  // namespace skytools::cascade
