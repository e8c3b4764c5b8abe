#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/pg/transaction.h"

/// The nodes of a cascaded queue: what the schema pgq_node knows, and the server functions that change it.
namespace skytools::cascade {

/// Changes a worker or an admin command may wait for are announced on this channel; the payload is the queue name.
inline constexpr const char* kNodeChannel = "skytools_node";

/// Only one worker of a node may run, and one process of a cascaded consumer; it holds the advisory lock (this class,
/// hash of the queue name, or of queue/consumer) while its session lives.
inline constexpr int kWorkerLockClass = 1397446518;

enum class NodeType { root, branch, leaf };
NodeType parse_node_type(std::string_view text);
std::string_view to_string(NodeType type);

/// pgq_node.get_node_info(): the local node as an administrator sees it.
struct NodeInfo {
  NodeType type = NodeType::leaf;
  std::string name;
  std::optional<std::int64_t> global_watermark, local_watermark;
  std::string provider_node, provider_location;  ///< of the root: itself
  std::string combined_queue;                    ///< "" when none
  std::string worker_name;
  bool paused = false, uptodate = false;
  std::optional<std::int64_t> last_tick;
  std::string attributes;               ///< urlencoded
  std::vector<std::string> target_for;  ///< queues that merge into this one here
};

/// pgq_node.get_worker_state(): what the worker needs in each loop.
struct WorkerState {
  NodeType type = NodeType::leaf;
  std::string node;
  std::int64_t completed_tick = 0;
  std::string provider_node, provider_location;
  bool paused = false, uptodate = false;
  std::optional<std::string> error;
  std::string worker_name;
  std::optional<std::int64_t> local_watermark, queue_top;  ///< queue_top: newest local tick, none on a leaf
  std::string combined_queue;                              ///< a merge leaf's
  std::optional<NodeType> combined_type;                   ///< what the node of that queue is here
};

/// pgq_node.get_consumer_state(), for cascaded consumers other than the worker (initial copies).
struct ConsumerState {
  std::int64_t completed_tick = 0;
  std::string provider_node;
  bool paused = false, uptodate = false;
};

/// Where a cascaded consumer is, straight from pgq_node.local_state.
struct StoredPosition {
  std::int64_t completed_tick = 0;
  bool paused = false;
  std::string provider_node;
};

/// One row of pgq_node.get_consumer_info(): a cascaded consumer that writes to this database.
struct CascadedConsumer {
  std::string name, provider;
  std::int64_t last_tick = 0;
  bool paused = false, uptodate = false;
  std::optional<std::string> error;
};

struct Member {
  std::string name, location;
  bool dead = false;
};

struct Subscriber {
  std::string node, worker;
  std::optional<std::int64_t> watermark;
};

/// The consumer that keeps a dead root's place in the queue of the node that took over.
inline std::string gravestone(const std::string& node) { return node + ".gravestone"; }

/// Runs `select ret_code, ret_note from <call>`; notes of 3xx are logged as warnings. @return the code  @throws Error
/// from 400 on
int run_command(pg::Transaction& tx, const std::string& call, std::span<const pg::Param> params);
inline int run_command(pg::Transaction& tx, const std::string& call, std::initializer_list<pg::Param> params) {
  return run_command(tx, call, std::span(params.begin(), params.size()));
}

std::optional<NodeInfo> node_info(pg::Transaction& tx,
                                  const std::string& queue);  ///< nullopt: no node for this queue here
WorkerState worker_state(pg::Transaction& tx, const std::string& queue);
/// The same for another cascaded consumer than the node's worker. @throws Error  naming what is missing
WorkerState cascaded_consumer_state(pg::Transaction& tx, const std::string& queue, const std::string& consumer);
/// What moves under a running batch. `lock` keeps it as it is until the transaction ends. @throws Error  no such
/// consumer
StoredPosition stored_position(pg::Transaction& tx, const std::string& queue, const std::string& consumer, bool lock);
std::optional<ConsumerState> consumer_state(pg::Transaction& tx, const std::string& queue, const std::string& consumer);
/// Is the node's queue open for producers? Of a branch it is not, and not of a root that is being demoted.
bool takes_events(pg::Transaction& tx, const std::string& queue);
/// When a tick was made, µs since 1970; mirrored ticks keep it, so nodes with the same history have it equal.
std::optional<std::int64_t> tick_time(pg::Transaction& tx, const std::string& queue, std::int64_t tick);
std::vector<CascadedConsumer> consumers(pg::Transaction& tx, const std::string& queue);  ///< ordered by name
std::vector<Member> members(pg::Transaction& tx, const std::string& queue);              ///< ordered by name
std::vector<Subscriber> subscribers(pg::Transaction& tx, const std::string& queue);

/// Follows the providers from the node at `from` up to the root. Null when that node is the root itself.
/// @throws Error  no node there, or a circle; pg::ConnectError
std::unique_ptr<pg::Connection> connect_root(pg::Connection& from, const std::string& queue,
                                             const pg::ConnectOptions& options);

/// Stores what is wrong as a consumer's cur_error ("": of the node's worker), through a connection of its own; a
/// failure of that is only logged.
void store_error(const std::string& db, const std::string& queue, const std::string& consumer, const std::string& text,
                 const StopToken& stop);

/// Makes text forms independent of the server's configuration and uses the server encoding `encoding` ("" leaves it).
void prepare_session(pg::Connection& c, const std::string& encoding = "");

}  // namespace skytools::cascade
