#include "core/cascade/closing.h"

#include "core/base/duration.h"
#include "core/cascade/foreign.h"
#include "core/log/log.h"

namespace skytools::cascade {

namespace {

constexpr milliseconds kLockSlice(500);  ///< a statement that waits for a lock sees no stop request

struct Part {
  std::string queue, worker;
};

std::vector<Part> parts_of(pg::Connection& c, const std::string& queue) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  pg::Result r =
      tx.exec("select queue_name, worker_name from pgq_node.node_info where combined_queue = $1 order by 1", queue);
  std::vector<Part> out;
  for (int i = 0; i < r.rows(); ++i) out.push_back({std::string(r.text(i, 0)), std::string(r.text(i, 1))});
  return out;
}

std::string still_writing(pg::Connection& c, const std::string& queue) {
  auto writer = oldest_writer(c, queue);
  return writer ? ": " + writer->who + " has been writing for " + format_duration(writer->age) : "";
}

}  // namespace

std::optional<OpenWriter> oldest_writer(pg::Connection& c, const std::string& queue) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  pg::Result r = tx.exec(
      "select coalesce('process ' || a.pid, 'prepared transaction ' || quote_literal(p.gid)),"
      " extract(epoch from clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8 from pgq.queue q"
      " join pg_catalog.pg_class c on c.relname like split_part(q.queue_data_pfx, '.', 2) || '\\_%' and c.relkind = 'r'"
      " join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = split_part(q.queue_data_pfx, '.', 1)"
      " join pg_catalog.pg_locks l on l.relation = c.oid and l.granted and l.mode = 'RowExclusiveLock'"
      "   and l.database = (select oid from pg_catalog.pg_database where datname = current_database())"
      " left join pg_catalog.pg_stat_activity a on a.pid = l.pid"
      " left join pg_catalog.pg_locks x on l.pid is null and x.pid is null and x.locktype = 'transactionid'"
      "   and x.virtualtransaction = l.virtualtransaction"
      " left join pg_catalog.pg_prepared_xacts p on p.transaction = x.transactionid"
      " where q.queue_name = $1 and coalesce(a.xact_start, p.prepared) is not null order by 2 desc limit 1",
      queue);
  if (r.rows() == 0) return std::nullopt;
  auto [who, seconds] = r.row<std::string, double>(0);
  return OpenWriter{who, milliseconds(static_cast<std::int64_t>(seconds * 1000))};
}

void make_last_tick(Net& net, Steps& steps, const std::string& root, const Deadline& deadline) {
  const Call call{"pgq_node.demote_root($1, 2, null)", {net.queue()}};
  steps.take(root, "wait for open writers and make the last tick of " + root, call.text(), [&] {
    for (;;) {
      net.stop().check();
      try {
        pg::Transaction tx(net.at(root));
        tx.exec("select set_config('lock_timeout', $1, true)",
                std::to_string(deadline.left(kLockSlice).count() + 1) + "ms");
        call.run(tx);
        tx.commit();
        return;
      } catch (const pg::SqlError& e) {
        if (e.sqlstate() != "55P03") throw;
      }
      if (deadline.passed())
        throw TimedOut("[" + net.at(root).label() + "] open writers did not end in time" +
                       still_writing(net.at(root), net.queue()));
    }
  });
}

void reopen_root(pg::Connection& c, const std::string& queue) {
  pg::Transaction tx(c);
  // The original's demote_root() knows no way back.
  tx.exec(
      "update pgq.queue set queue_disable_insert = false, queue_external_ticker = false where queue_name = $1 and "
      "exists"
      " (select 1 from pgq_node.node_info n where n.queue_name = $1 and n.node_type = 'root')",
      queue);
  if (tx.value<bool>("select to_regprocedure('skytools.note_closing(integer, boolean)') is not null"))
    tx.exec(
        "select skytools.note_closing(q.queue_id, false) from pgq.queue q where q.queue_name = $1 and not "
        "q.queue_disable_insert",
        queue);
  tx.exec("select pg_catalog.pg_notify($1, $2)", kNodeChannel, queue);
  tx.commit();
}

void pause_merges(Net& net, Steps& steps, const Peer& root, const Deadline& deadline) {
  if (root.info->target_for.empty()) return;
  pg::Connection& c = net.at(root.name);
  for (auto& part : parts_of(c, net.queue())) {
    {
      pg::Transaction tx(c, pg::Mode::autocommit);
      if (!to_be_paused(tx, part.queue, part.worker)) continue;
    }
    steps.wait(root.name, "pause worker " + part.worker + " of queue " + part.queue,
               [&] { pause_foreign(c, part.queue, part.worker, deadline.left()); });
  }
}

void resume_merges(Net& net, Steps& steps, const Peer& root) {
  if (root.info->target_for.empty()) return;
  auto c = net.rescue(root.name);
  for (auto& part : parts_of(*c, net.queue())) {
    {
      pg::Transaction tx(*c, pg::Mode::autocommit);
      if (!marked(tx, part.queue, part.worker)) continue;
    }
    steps.take(*c, root.name, "resume worker " + part.worker + " of queue " + part.queue,
               resume_foreign(part.queue, part.worker));
  }
}

}  // namespace skytools::cascade
