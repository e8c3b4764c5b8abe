#include "core/cascade/former_name.h"

#include "core/cascade/control.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

// $1 queue, $2 the node's position, $3 name. All events when the root has not kept that tick.
std::string ends_behind(const std::string& events) {
  return "with position (seen) as (select t.tick_snapshot from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue"
         " where q.queue_name = $1 and t.tick_id = $2)"
         " select exists (select 1 from " +
         events +
         " where ev_type = 'pgq.unregister-location' and ev_data = $3"
         " and ev_txid >= coalesce((select txid_snapshot_xmin(seen) from position), 0)"
         " and not coalesce((select txid_visible_in_snapshot(ev_txid, seen) from position), false))";
}

bool ends_after(pg::Connection& root, const std::string& queue, std::int64_t position, const std::string& name) {
  pg::Transaction tx(root, pg::Mode::autocommit);
  auto events = tx.value<std::string>("select queue_data_pfx from pgq.queue where queue_name = $1", queue);
  return tx.value<bool>(ends_behind(events), queue, position, name);
}

}  // namespace

bool to_hear_of_end(pg::Connection& root, pg::Connection& node, const std::string& queue, const std::string& name) {
  pg::Transaction tx(node, pg::Mode::autocommit);
  return ends_after(root, queue, worker_state(tx, queue).completed_tick, name);
}

void await_end(pg::Connection& root, pg::Connection& node, const std::string& queue, const std::string& name,
               const Deadline& deadline) {
  std::string here;
  {
    pg::Transaction tx(node, pg::Mode::autocommit);
    here = worker_state(tx, queue).node;
  }
  wait_until(node, queue,
             "the worker of node " + here + " to hear that the former node " + name +
                 " is gone: is it running? (a node may also take another name)",
             deadline, [&](pg::Transaction& tx) {
               return !ends_after(root, queue, worker_state(tx, queue).completed_tick, name);
             });
}

}  // namespace skytools::cascade
