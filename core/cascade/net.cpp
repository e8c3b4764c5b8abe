#include "core/cascade/net.h"

#include <algorithm>

#include "core/base/strings.h"
#include "core/cascade/parallel.h"

namespace skytools::cascade {

namespace {
constexpr milliseconds kOthersEnd(3000);  ///< the sessions of a command that was killed are gone by then
constexpr milliseconds kLockPause(100);   ///< between two tries
}  // namespace

std::int64_t Peer::position() const { return std::max(top.value_or(0), info ? info->last_tick.value_or(0) : 0); }

void read_peer(pg::Connection& c, const std::string& queue, Peer& peer) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  peer.info = node_info(tx, queue);
  if (!peer.info) throw Error("[" + c.label() + "] there is no node of queue " + queue);
  if (peer.info->type == NodeType::leaf) return;
  peer.subscribers = subscribers(tx, queue);
  std::tie(peer.top, peer.open, peer.closing) = tx.one<std::optional<std::int64_t>, bool, bool>(
      "select (select t.tick_id from pgq.tick t where t.tick_queue = q.queue_id order by t.tick_queue desc, t.tick_id "
      "desc limit 1), not q.queue_disable_insert, q.queue_disable_insert and q.queue_external_ticker from pgq.queue q "
      "where q.queue_name = $1",
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
  links_[local_name_].connection = std::move(local);
}

std::unique_ptr<pg::Connection> Net::open(const std::string& name, const StopToken* stop) {
  pg::ConnectOptions options{.connect_timeout = limit_, .stop = stop, .application_name = "skytools admin"};
  return std::make_unique<pg::Connection>("node " + name, locations_.at(name), options);
}

std::unique_ptr<pg::Connection> Net::rescue(const std::string& name) {
  auto c = open(name, nullptr);
  c->set_statement_timeout(limit_);
  return c;
}

Net::Link& Net::linked(const std::string& name) {
  Link& link = links_.at(name);
  if (!link.connection || link.connection->lost()) {
    link.locked = false;
    link.connection = open(name, &stop_);
    link.connection->set_statement_timeout(statement_limit_);
  }
  return link;
}

pg::Connection& Net::at(const std::string& name) {
  Peer& known = peer(name);
  Link& link = linked(name);
  // The lock went with the connection that was lost. Who did not answer the survey may be one of the others by now.
  if (alone_ && !link.locked && known.info) lock(link);
  return *link.connection;
}

void Net::limit_statements(milliseconds limit) {
  statement_limit_ = limit;
  for (auto& [name, link] : links_)
    if (link.connection) link.connection->set_statement_timeout(limit);
}

void Net::lock(Link& link) {
  pg::Connection& c = *link.connection;
  for (Deadline deadline(kOthersEnd);;) {
    pg::Transaction tx(c, pg::Mode::autocommit);
    link.locked = tx.value<bool>("select pg_try_advisory_lock($1::int, hashtext($2))", kAdminLockClass, queue_);
    if (link.locked) return;
    if (deadline.passed()) {
      auto who = tx.value<std::string>(
          "select coalesce(string_agg('process ' || a.pid || ' from ' || coalesce(host(a.client_addr), 'the same "
          "machine') || ', since ' || to_char(a.backend_start, 'HH24:MI:SS'), '; '), 'ended just now')"
          " from pg_catalog.pg_locks l join pg_catalog.pg_database d on d.oid = l.database"
          " join pg_catalog.pg_stat_activity a on a.pid = l.pid"
          " where d.datname = current_database() and l.locktype = 'advisory' and l.granted and l.objsubid = 2"
          " and l.classid = $1::bigint::oid and l.objid = (hashtext($2)::bigint & 4294967295)::oid",
          kAdminLockClass, queue_);
      throw Refused("[" + c.label() + "] another admin command is at work on queue " + queue_ + " (" + who +
                    "): wait until it is done, or end that session with pg_terminate_backend()");
    }
    if (!stop_.wait(kLockPause)) throw Stopped();
  }
}

void Net::ask(Peer& peer) {
  try {
    pg::Connection& connection = *linked(peer.name).connection;
    connection.set_statement_timeout(limit_);
    read_peer(connection, queue_, peer);
    connection.set_statement_timeout(statement_limit_);
    if (peer.info->name != peer.name)
      throw Error("[" + connection.label() + "] the node there is called " + peer.info->name);
  } catch (const Error& e) {
    peer.info.reset();
    peer.problem = e.what();
  }
}

void Net::list() {
  peers_.clear();
  pg::Transaction tx(*linked(local_name_).connection, pg::Mode::autocommit);
  for (auto& member : members(tx, queue_)) {
    Peer peer;
    peer.name = member.name;
    peer.location = member.location;
    peer.dead = member.dead && member.name != local_name_;
    if (peer.dead) peer.problem = "tagged dead";
    if (member.name != local_name_) locations_[member.name] = member.location;
    links_[member.name];  // the threads of survey() must not change the map
    peers_.push_back(std::move(peer));
  }
}

void Net::ask_all(bool dead_too) {
  for_each_parallel(peers_.size(), [&](std::size_t i) {
    if (!peers_[i].dead || dead_too) ask(peers_[i]);
  });
  stop_.check();
}

/// In order of the names, so that of two commands one gets them all.
void Net::lock_all() {
  for (Peer* peer : live())
    if (Link& link = linked(peer->name); !link.locked) lock(link);
}

void Net::survey(bool dead_too) {
  list();
  ask_all(dead_too);
  if (!alone_) return;
  lock_all();
  // Until then another command may have changed what was read. Who is silent is not waited for twice.
  std::map<std::string, std::string> silent;
  for (auto& peer : peers_)
    if (!peer.info) silent[peer.name] = peer.problem;
  list();
  for_each_parallel(peers_.size(), [&](std::size_t i) {
    if (auto it = silent.find(peers_[i].name); it != silent.end())
      peers_[i].problem = it->second;
    else
      ask(peers_[i]);
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
