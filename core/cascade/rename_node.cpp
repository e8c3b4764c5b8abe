#include "core/cascade/rename_node.h"

#include <algorithm>
#include <set>

#include "core/base/strings.h"
#include "core/cascade/attributes.h"
#include "core/cascade/former_name.h"
#include "core/log/log.h"

namespace skytools::cascade {

namespace {

// $1 queue, $2 old name, $3 new name. In order of the steps that send them.

/// Both names have a subscription until the node has changed its own: it publishes its watermark under either.
constexpr const char* kCopyWatermark =
    "select pgq.register_consumer_at($1, '.' || $3::text || '.watermark', s.sub_last_tick)"
    " from pgq_node.subscriber_info i join pgq.queue q on q.queue_name = i.queue_name"
    " join pgq.consumer c on c.co_name = i.watermark_name"
    " join pgq.subscription s on s.sub_queue = q.queue_id and s.sub_consumer = c.co_id"
    " where i.queue_name = $1 and i.subscriber_node = $2 and not exists (select 1 from pgq_node.subscriber_info n"
    " where n.queue_name = $1 and n.subscriber_node = $3)";
constexpr const char* kCopySubscriber =
    "insert into pgq_node.subscriber_info (queue_name, subscriber_node, worker_name, watermark_name)"
    " select queue_name, $3, worker_name, '.' || $3::text || '.watermark' from pgq_node.subscriber_info"
    " where queue_name = $1 and subscriber_node = $2 on conflict do nothing";
constexpr const char* kLockLimit = "select set_config('lock_timeout', '30s', true)";  // a batch may be in the way
constexpr const char* kLockNode = "select 1 from pgq_node.node_info where queue_name = $1 for update";
constexpr const char* kRenameNode =
    "update pgq_node.node_info set node_name = $3 where queue_name = $1 and node_name = $2";
constexpr const char* kRenameProvider =
    "update pgq_node.local_state set provider_node = $3, uptodate = false where queue_name = $1 and provider_node = $2";
/// Not pgq_node.unregister_subscriber(): the worker's own consumer has to stay.
constexpr const char* kDropSubscriber =
    "with gone as (delete from pgq_node.subscriber_info where queue_name = $1 and subscriber_node = $2 returning "
    "watermark_name) select watermark_name from gone";
constexpr const char* kDropWatermark = "select pgq.unregister_consumer($1, $2)";
constexpr const char* kTellWorker = "select pg_notify($1, $2)";

class Renamer {
 public:
  Renamer(Net& net, Steps& steps, const Rename& request) : net_(net), steps_(steps), request_(request) {}

  bool run() {
    find();
    read_locations();
    check_reachable();
    check_free();
    await_end_of_former();
    register_name();
    replace_in_attributes();
    copy_subscriptions();
    rename();
    follow();
    drop_subscriptions();
    forget();
    return !steps_.told().empty();
  }

 private:
  /// The node under the name it has now.
  void find() {
    if (request_.to.empty()) throw UsageError("the node needs a name");
    if (request_.from == request_.to) throw UsageError("these are the same names");
    Peer* to = net_.find(request_.to);
    renamed_ = to && to->info;
    if (!renamed_ || net_.find(request_.from)) {
      Peer& from = net_.peer(request_.from);
      if (renamed_ && from.info) throw Error("there is a node named " + request_.to + " already");
      if (!renamed_ && !from.info) throw Error("node " + from.name + " does not answer: " + from.problem);
    }
    node_ = renamed_ ? to : net_.find(request_.from);
  }

  void read_locations() {
    for (Peer* peer : net_.live()) {
      pg::Transaction tx(net_.at(peer->name), pg::Mode::autocommit);
      for (auto& member : members(tx, net_.queue()))
        if (member.name == request_.from || member.name == request_.to) known_.insert({peer->name, member});
    }
  }

  const Member* known(const std::string& at, const std::string& name) const {
    auto [first, last] = known_.equal_range(at);
    for (auto it = first; it != last; ++it)
      if (it->second.name == name) return &it->second;
    return nullptr;
  }

  /// A reader that still names the old one when the root ends it would stand still; a provider would end the
  /// subscription.
  void check_reachable() {
    std::set<std::string> readers;
    for (auto& subscriber : node_->subscribers) readers.insert(subscriber.node);
    std::vector<std::string> silent;
    for (auto& peer : net_.peers()) {
      if (peer.info || peer.name == request_.from || peer.name == request_.to) continue;
      if (readers.contains(peer.name))
        throw Refused("node " + peer.name + " reads from " + node_->name + " and does not answer (" + peer.problem +
                      "): wait until it does, or drop it with: skytools cascade drop-node");
      if (peer.name == node_->info->provider_node)
        throw Refused("node " + node_->name + " reads from " + peer.name + ", which does not answer (" + peer.problem +
                      "): wait until it does, or move the node with: skytools cascade change-provider");
      if (!peer.dead) silent.push_back(peer.name);
    }
    if (!silent.empty() && !request_.force)
      throw Refused("not all nodes answer: " + join(silent, ", ") +
                    " (--force overrides: they learn it from the root)");
    if (net_.roots().empty())
      throw Refused("no root of queue " + net_.queue() + " answers, who should tell the others?");
  }

  void check_free() {
    // While a rename is under way both names lead to one place.
    const std::string& other = renamed_ ? request_.from : request_.to;
    for (auto& [at, member] : known_)
      if (member.name == other && member.location != node_->location)
        throw Error("the name " + request_.to + " is taken: node " + at + " knows " + request_.from + " and " +
                    request_.to + " as different nodes");
  }

  std::vector<Peer*> root_first() {
    auto live = net_.live();
    std::stable_partition(live.begin(), live.end(), [](Peer* p) { return p->is(NodeType::root); });
    return live;
  }

  void await_end_of_former() {
    if (renamed_) return;
    auto& root = net_.at(net_.roots()[0]->name);
    for (Peer* peer : net_.live()) {
      auto& at = net_.at(peer->name);
      if (peer->is(NodeType::root) || known(peer->name, request_.to)) continue;
      if (to_hear_of_end(root, at, net_.queue(), request_.to))
        steps_.wait(peer->name, "wait until " + peer->name + " hears of the end of the former node " + request_.to,
                    [&] { await_end(root, at, net_.queue(), request_.to, Deadline(request_.limit)); });
    }
  }

  void register_name() {
    if (renamed_) return;
    for (Peer* peer : root_first()) {
      if (known(peer->name, request_.to)) continue;
      steps_.take(peer->name, "make the name " + request_.to + " known on " + peer->name,
                  {{"pgq_node.register_location($1, $2, $3, false)", {net_.queue(), request_.to, node_->location}}});
    }
  }

  void replace_in_attributes() {
    for (Peer* peer : net_.live()) {
      auto fields = decode_row(peer->info->attributes);
      for (auto& field : fields) {
        if (field.name != kSyncWatermark || !field.value) continue;
        auto names = split(*field.value, ',');
        std::replace(names.begin(), names.end(), request_.from, request_.to);
        field.value = join(names, ",");
      }
      if (encode_row(fields) != encode_row(decode_row(peer->info->attributes)))
        steps_.take(peer->name, "replace the name in the attributes of " + peer->name,
                    {{"pgq_node.set_node_attrs($1, $2)", {net_.queue(), encode_row(fields)}}});
    }
  }

  static bool has_subscriber(const Peer& peer, const std::string& name) {
    for (auto& subscriber : peer.subscribers)
      if (subscriber.node == name) return true;
    return false;
  }

  void copy_subscriptions() {
    for (Peer* peer : net_.live())
      if (has_subscriber(*peer, request_.from) && !has_subscriber(*peer, request_.to))
        steps_.take(peer->name, "subscribe " + request_.to + " at " + peer->name + " where " + request_.from + " is",
                    {call(kCopyWatermark), call(kCopySubscriber)});
  }

  Call call(const char* sql) const { return {sql, {net_.queue(), request_.from, request_.to}}; }
  Call tell_worker() const { return {kTellWorker, {kNodeChannel, net_.queue()}}; }

  void rename() {
    if (renamed_) return;
    steps_.take(request_.from, "rename node " + request_.from + " to " + request_.to,
                {{kLockLimit}, {kLockNode, {net_.queue()}}, call(kRenameNode), call(kRenameProvider), tell_worker()});
  }

  bool reads_from_old(Peer& peer) {
    pg::Transaction tx(net_.at(peer.name), pg::Mode::autocommit);
    return tx.value<bool>(
        "select exists (select 1 from pgq_node.local_state where queue_name = $1 and provider_node = $2)", net_.queue(),
        request_.from);
  }

  void follow() {
    for (Peer* peer : net_.live())
      if (peer != node_ && reads_from_old(*peer))
        steps_.take(peer->name, peer->name + " reads from " + request_.to + ", as " + request_.from + " is called now",
                    {{kLockLimit}, call(kRenameProvider), tell_worker()});
  }

  void drop_subscriptions() {
    for (Peer* peer : net_.live())
      if (has_subscriber(*peer, request_.from))
        steps_.take(peer->name, "end the subscription of " + request_.from + " at " + peer->name,
                    Call{kDropSubscriber, {net_.queue(), request_.from}}.text(), [&] { drop_subscription(*peer); });
  }

  void drop_subscription(const Peer& peer) {
    pg::Transaction tx(net_.at(peer.name));
    pg::Result r = tx.exec(kDropSubscriber, net_.queue(), request_.from);
    for (int i = 0; i < r.rows(); ++i) tx.exec(kDropWatermark, net_.queue(), std::string(r.text(i, 0)));
    tx.commit();
  }

  void forget() {
    for (Peer* peer : root_first())
      if (known(peer->name, request_.from))
        steps_.take(peer->name, "end the name " + request_.from + " on " + peer->name,
                    {{"pgq_node.unregister_location($1, $2)", {net_.queue(), request_.from}}});
  }

  Net& net_;
  Steps& steps_;
  const Rename& request_;
  Peer* node_ = nullptr;
  bool renamed_ = false;
  std::multimap<std::string, Member> known_;  ///< both names, as each live node knows them
};

}  // namespace

bool rename_node(Net& net, Steps& steps, const Rename& request) { return Renamer(net, steps, request).run(); }

}  // namespace skytools::cascade
