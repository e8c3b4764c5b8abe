#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/base/deadline.h"
#include "core/base/stop.h"
#include "core/cascade/node.h"

namespace skytools::cascade {

/// What is asked for by create-root, create-branch and create-leaf.
struct NewNode {
  NodeType type = NodeType::root;
  std::string queue, name;
  std::string db;                                 ///< how this program reaches the node's database
  std::string location;                           ///< how other nodes reach it
  std::string provider;                           ///< connect string of the provider; "" for a root
  std::string worker;                             ///< name of the node's worker
  std::string combined = {};                      ///< queue of this database that a leaf merges into
  std::vector<std::string> sync_watermark = {};   ///< branches this one keeps its watermark with
  milliseconds limit = std::chrono::seconds(30);  ///< for the provider to hear of the end of a former node of that name
};

/// A step of a plan: what it does, for people, and doing it.
struct PlanStep {
  std::string text;
  std::function<void()> run;
};

/// Creates nodes: everything is checked before anything changes, and every step may be run again after a crash.
class NodeCreator {
 public:
  NodeCreator(NewNode node, const StopToken& stop);
  ~NodeCreator();
  /// False: the node is there already, exactly as asked. @throws Error, Refused  when it cannot be made
  bool check();
  /// The steps that are left, to be run in order. Valid after check() was true.
  std::vector<PlanStep> plan();
  /// For what the layer above copies along: the provider's connection, null for a root.
  pg::Connection* provider() { return provider_.get(); }
  pg::Connection& local() { return *local_; }

 private:
  void check_combined();
  void check_location();
  void check_provider();
  void create_root();
  void register_at(pg::Connection& c);
  void subscribe();
  void create_local();

  NewNode node_;
  const StopToken& stop_;
  std::unique_ptr<pg::Connection> local_, provider_, root_;
  std::string provider_name_;
};

}  // namespace skytools::cascade
