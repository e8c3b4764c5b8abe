#include "core/cascade/former_name.h"

#include "core/cascade/control.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

/// Is there an end of `name` that the snapshot of tick `position` does not show?
bool ends_after(pg::Connection& root, const std::string& queue, std::int64_t position, const std::string& name) {
  pg::Transaction tx(root, pg::Mode::autocommit);
  auto [events, seen] = tx.one<std::string, std::string>(
      "select q.queue_data_pfx, coalesce(t.tick_snapshot::text, '1:1:') from pgq.queue q"  // not kept: nothing is seen
      " left join pgq.tick t on t.tick_queue = q.queue_id and t.tick_id = $2 where q.queue_name = $1",
      queue, position);
  // The snapshot as a parameter: the planner sees how few ids it leaves, and takes the index.
  return tx.value<bool>("select exists (select 1 from " + events +
                            " where ev_txid >= txid_snapshot_xmin($1::txid_snapshot)"
                            " and not txid_visible_in_snapshot(ev_txid, $1::txid_snapshot)"
                            " and ev_type = 'pgq.unregister-location' and ev_data = $2)",
                        seen, name);
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
                 " is gone: is it running, and not paused? (a node may also take another name)",
             deadline, [&](pg::Transaction& tx) {
               return !ends_after(root, queue, worker_state(tx, queue).completed_tick, name);
             });
}

}  // namespace skytools::cascade
