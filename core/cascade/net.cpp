#include "core/cascade/net.h"

#include <algorithm>

#include "core/base/strings.h"
#include "core/cascade/parallel.h"

namespace skytools::cascade {

std::int64_t Peer::position() const { return std::max(top.value_or(0), info ? info->last_tick.value_or(0) : 0); }

void read_peer(pg::Connection& c, const std::string& queue, Peer& peer) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  peer.info = node_info(tx, queue);
  if (!peer.info) throw Error("[" + c.label() + "] there is no node of queue " + queue);
  if (peer.info->type == NodeType::leaf) return;
  peer.subscribers = subscribers(tx, queue);
  std::tie(peer.top, peer.open) = tx.one<std::optional<std::int64_t>, bool>(
      "select (select t.tick_id from pgq.tick t where t.tick_queue = q.queue_id order by t.tick_queue desc, t.tick_id "
      "desc limit 1), not q.queue_disable_insert from pgq.queue q where q.queue_name = $1",
      queue);
}

Net::Net(const std::string& db, std::string queue, milliseconds limit, const StopToken& stop)
    : db_(db), queue_(std::move(queue)), limit_(limit), stop_(stop) {
  auto local = std::make_unique<pg::Connection>("db", db_, pg::ConnectOptions{.stop = &stop_});
  {
    pg::Transaction tx(*local, pg::Mode::autocommit);
    auto info = node_info(tx, queue_);
    if (!info) throw Error("[" + local->label() + "] there is no node of queue " + queue_);
    local_name_ = info->name;
  }
  locations_[local_name_] = db_;
  connections_[local_name_] = std::move(local);
}

std::unique_ptr<pg::Connection> Net::open(const std::string& name, const StopToken* stop) {
  pg::ConnectOptions options{.connect_timeout = limit_, .stop = stop, .application_name = "skytools admin"};
  return std::make_unique<pg::Connection>("node " + name, locations_.at(name), options);
}

std::unique_ptr<pg::Connection> Net::rescue(const std::string& name) { return open(name, nullptr); }

pg::Connection& Net::at(const std::string& name) {
  peer(name);
  auto& connection = connections_[name];
  if (!connection || connection->lost()) connection = open(name, &stop_);
  return *connection;
}

void Net::ask(Peer& peer) {
  try {
    auto& connection = connections_.at(peer.name);
    if (!connection || connection->lost()) connection = open(peer.name, &stop_);
    connection->set_statement_timeout(limit_);
    read_peer(*connection, queue_, peer);
    connection->set_statement_timeout(milliseconds(0));
    if (peer.info->name != peer.name)
      throw Error("[" + connection->label() + "] the node there is called " + peer.info->name);
  } catch (const Error& e) {
    peer.info.reset();
    peer.problem = e.what();
  }
}

void Net::list() {
  peers_.clear();
  if (connections_.at(local_name_)->lost()) connections_[local_name_] = open(local_name_, &stop_);
  pg::Transaction tx(*connections_.at(local_name_), pg::Mode::autocommit);
  for (auto& member : members(tx, queue_)) {
    Peer peer;
    peer.name = member.name;
    peer.location = member.location;
    peer.dead = member.dead && member.name != local_name_;
    if (peer.dead) peer.problem = "tagged dead";
    if (member.name != local_name_) locations_[member.name] = member.location;
    connections_[member.name];  // the threads of survey() must not change the map
    peers_.push_back(std::move(peer));
  }
}

void Net::survey(bool dead_too) {
  list();
  for_each_parallel(peers_.size(), [&](std::size_t i) {
    if (!peers_[i].dead || dead_too) ask(peers_[i]);
  });
  stop_.check();
}

Peer* Net::find(const std::string& name) {
  auto it = std::find_if(peers_.begin(), peers_.end(), [&](const Peer& p) { return p.name == name; });
  return it == peers_.end() ? nullptr : &*it;
}

Peer& Net::peer(const std::string& name) {
  if (peers_.empty()) survey();
  if (Peer* found = find(name)) return *found;
  std::vector<std::string> names;
  for (auto& p : peers_) names.push_back(p.name);
  std::string near = closest(name, names);
  throw Error("queue " + queue_ + " has no node named '" + name + "'" +
              (near.empty() ? "; there are: " + join(names, ", ") : "; did you mean '" + near + "'?"));
}

std::vector<Peer*> Net::live() {
  std::vector<Peer*> out;
  for (auto& p : peers_)
    if (p.info) out.push_back(&p);
  return out;
}

std::vector<Peer*> Net::roots() {
  std::vector<Peer*> out;
  for (auto& p : peers_)
    if (p.is(NodeType::root)) out.push_back(&p);
  return out;
}

}  // namespace skytools::cascade
