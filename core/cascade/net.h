#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/deadline.h"
#include "core/base/stop.h"
#include "core/cascade/node.h"

namespace skytools::cascade {

/// One member of the set, with what it said about itself when it was asked.
struct Peer {
  std::string name, location;
  bool dead = false;             ///< tagged so on the local node
  std::optional<NodeInfo> info;  ///< nullopt: it did not answer
  std::string problem;           ///< why it did not
  std::vector<Subscriber> subscribers;
  std::optional<std::int64_t> top;  ///< newest tick of its queue; none on a leaf
  bool open = false;                ///< its queue takes the events of producers
  bool closing = false;             ///< a root that demote_root() has closed

  bool is(NodeType type) const { return info && info->type == type; }
  /// The tick up to which it has everything. A branch whose worker died before the tick of a batch has one more than
  /// top.
  std::int64_t position() const;
};

/// An admin command that changes the set holds the advisory lock (this class, hash of the queue name) on every node it
/// reaches, as long as its sessions live.
inline constexpr int kAdminLockClass = 1397446521;

/// The set as an admin command sees it: the local node and a connection to each member that answers.
class Net {
 public:
  /// Connects to the local node. @param limit  for connecting and for each answer of another node
  /// @throws Error  there is no node of the queue here; pg::ConnectError
  Net(const std::string& db, std::string queue, milliseconds limit, const StopToken& stop);

  const std::string& queue() const { return queue_; }
  const std::string& local_name() const { return local_name_; }
  const StopToken& stop() const { return stop_; }
  milliseconds limit() const { return limit_; }

  /// From the next survey on, no second command of ours may change the set while this one lives.
  void keep_others_out() { alone_ = true; }
  /// For each statement at() sends from now on, so that a node that falls silent ends a wait; 0: none.
  void limit_statements(milliseconds limit);

  /// Reads the local list of members without asking them. What was known before is forgotten, connections are kept.
  void list();
  /// Asks all members in parallel, those tagged dead too when `dead_too`. What was known before is forgotten,
  /// connections are kept. @throws Refused  after keep_others_out(): another command is at work
  void survey(bool dead_too = false);
  std::vector<Peer>& peers() { return peers_; }
  /// @throws Error  no member has that name
  Peer& peer(const std::string& name);
  Peer* find(const std::string& name);
  /// Members that answered, in order of their names.
  std::vector<Peer*> live();
  std::vector<Peer*> roots();

  /// The connection to a member, made anew when it was lost. @throws pg::ConnectError
  pg::Connection& at(const std::string& name);
  pg::Connection& local() { return at(local_name_); }
  /// A second connection to a member that no stop request ends: for taking things back.
  std::unique_ptr<pg::Connection> rescue(const std::string& name);

 private:
  struct Link {
    std::unique_ptr<pg::Connection> connection;
    bool locked = false;  ///< others are kept out there
  };
  void ask(Peer& peer);
  void ask_all(bool dead_too);
  void lock_all();
  void lock(Link& link);
  Link& linked(const std::string& name);  ///< connected anew when it was lost
  std::unique_ptr<pg::Connection> open(const std::string& name, const StopToken* stop);

  std::string db_, queue_, local_name_;
  milliseconds limit_, statement_limit_{0};
  bool alone_ = false;
  const StopToken& stop_;
  std::map<std::string, std::string> locations_;
  std::map<std::string, Link> links_;
  std::vector<Peer> peers_;
};

/// Asks one node about itself. @throws Error
void read_peer(pg::Connection& c, const std::string& queue, Peer& peer);

}  // namespace skytools::cascade
