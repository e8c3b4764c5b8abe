#include "core/cascade/system_event.h"

namespace skytools::cascade {

namespace {

void location_info(pg::Transaction& tx, const std::string& queue, NodeType, const pgq::Event& e) {
  run_command(tx, "pgq_node.register_location($1, $2, $3, $4)", {queue, e.data, e.extra[1], e.extra[2]});
}

void unregister_location(pg::Transaction& tx, const std::string& queue, NodeType, const pgq::Event& e) {
  // Written before a node took the name again: this one, or the one it reads from.
  if (auto here = node_info(tx, queue); here && (here->name == e.data || here->provider_node == e.data)) return;
  // An admin command that did so directly is no reason for a warning.
  for (auto& member : members(tx, queue))
    if (member.name == e.data) run_command(tx, "pgq_node.unregister_location($1, $2)", {queue, e.data});
}

void global_watermark(pg::Transaction& tx, const std::string& queue, NodeType type, const pgq::Event& e) {
  if (type != NodeType::branch) return;  // a leaf keeps no events, so nothing to hold back
  run_command(tx, "pgq_node.set_global_watermark($1, $2)", {queue, e.data});
}

void partition_tick(pg::Transaction& tx, const std::string& queue, NodeType type, const pgq::Event& e) {
  if (type != NodeType::branch) return;
  run_command(tx, "pgq_node.set_partition_watermark($1, $2, $3)", {queue, e.extra[0], e.data});
  // The worker that waits behind this position.
  tx.exec("select pg_catalog.pg_notify($1, $2)", kNodeChannel, e.extra[0]);
}

struct SystemEvent {
  std::string_view type;
  bool of_own_queue;  ///< ev_extra1 must name this queue; otherwise it must name another one
  void (*apply)(pg::Transaction&, const std::string&, NodeType, const pgq::Event&);
};
constexpr SystemEvent kSystemEvents[] = {
    {"pgq.location-info", true, location_info},
    {"pgq.unregister-location", true, unregister_location},
    {"pgq.global-watermark", true, global_watermark},
    {"pgq.tick-id", false, partition_tick},
};

}  // namespace

void apply_system_event(pg::Transaction& target, const std::string& queue, NodeType local_type, const pgq::Event& e) {
  for (auto& known : kSystemEvents) {
    if (known.type != e.type) continue;
    if ((e.extra[0] == queue) != known.of_own_queue)
      throw Error("bad event in queue " + queue + ": " + e.type + " with ev_extra1 '" + e.extra[0].value_or("") +
                  "' (ev_id " + std::to_string(e.id) + ")");
    return known.apply(target, queue, local_type, e);
  }
  throw Error("unknown cascade event: " + e.type + " (ev_id " + std::to_string(e.id) + ")");
}

}  // namespace skytools::cascade
