#include "core/londiste/merge_copy.h"

#include "core/base/failpoint.h"
#include "core/base/strings.h"
#include "core/cascade/node.h"
#include "core/log/log.h"
#include "core/londiste/catalog.h"
#include "core/londiste/structure.h"
#include "core/londiste/table_copy.h"

namespace skytools::londiste {

namespace {

std::vector<std::string> first_column(const pg::Result& r) {
  std::vector<std::string> out;
  for (int i = 0; i < r.rows(); ++i) out.emplace_back(r.text(i, 0));
  return out;
}

/// Queues of the other parts whose row of table_info meets a condition.
std::vector<std::string> other_parts(pg::Transaction& tx, const std::string& queue, const Table& table,
                                     const char* condition) {
  return first_column(tx.exec(
      std::string(
          "select t.queue_name from londiste.table_info t join pgq_node.node_info n on n.queue_name = t.queue_name"
          " join pgq_node.node_info me on me.queue_name = $1 and me.node_type = 'leaf'"
          " where t.queue_name <> $1 and n.node_type = 'leaf' and n.combined_queue is not distinct from "
          "me.combined_queue and coalesce(t.dest_table, t.table_name) = $2 and t.local and ") +
          condition + " order by 1",
      queue, table.dest.str()));
}

/// Nobody else writes to the table from here to the end of the transaction, so who has rows in it is certain.
void lock_alone(pg::Transaction& tx, const std::string& queue, const Table& table) {
  limit_lock_wait(tx);
  tx.exec("lock table " + table.dest.sql() + " in access exclusive mode");
  auto others = parts_present(tx, queue, table);
  if (!others.empty())
    throw Error("table " + table.name + " cannot be emptied: rows of " + join(others, ", ") +
                " are in it; copy those parts anew, too, or add it with --skip-truncate");
}

void truncate(pg::Transaction& tx, const Table& table) {
  tx.exec("truncate " + read_table_info(tx, table.dest).only() + table.dest.sql());
}

void store_structure(pg::Transaction& tx, const std::string& queue, const Table& table,
                     const std::optional<std::string>& ddl) {
  cascade::run_command(tx, "londiste.local_set_table_struct($1, $2, $3)", {queue, table.name, ddl});
  // The other parts' copies wait for it.
  tx.exec("select pg_catalog.pg_notify($1, queue_name) from londiste.table_info where local and merge_state <> 'ok'",
          cascade::kNodeChannel);
}

}  // namespace

std::vector<std::string> parts_present(pg::Transaction& target, const std::string& queue, const Table& table) {
  return other_parts(target, queue, table, "t.merge_state <> 'in-copy'");
}

bool prepare_merged_table(pg::Connection& target, const std::string& queue, const Table& table) {
  pg::Transaction tx(target);
  lock_alone(tx, queue, table);
  if (!other_parts(tx, queue, table, "t.merge_state is null").empty()) return false;
  std::string ddl;
  for (auto& index : removable_indexes(tx, table.dest)) {
    tx.exec(index.drop);
    ddl += index.create + ";\n";
  }
  if (table.attribute("skip_truncate") == "1")
    log::info(table.name + ": skipping truncate");
  else
    truncate(tx, table);
  // Without anything to put back the other parts wait until this one is copied.
  if (!ddl.empty()) store_structure(tx, queue, table, ddl);
  SKYTOOLS_FAILPOINT("copy.before_prepared");
  tx.commit();
  SKYTOOLS_FAILPOINT("copy.prepared");
  log::info(table.name + ": ready to be copied from all parts", {{"queue", queue}});
  return true;
}

void restore_structure(pg::Connection& target, const std::string& queue, const Table& table) {
  log::info(table.name + ": restoring indexes and constraints", {{"queue", queue}});
  {
    pg::Transaction tx(target);
    tx.script(*table.dropped_ddl);
    store_structure(tx, queue, table, std::nullopt);
    tx.commit();
  }
  pg::Transaction analyze(target, pg::Mode::autocommit);
  analyze.exec("analyze " + table.dest.sql());
}

void undo_preparation(pg::Connection& target, const std::string& queue, const Table& table) {
  pg::Transaction tx(target);
  lock_alone(tx, queue, table);
  truncate(tx, table);
  tx.script(*table.dropped_ddl);
  store_structure(tx, queue, table, std::nullopt);
  tx.commit();
}

std::vector<std::string> parts_missing(pg::Transaction& source, const std::string& combined, const Table& at_source) {
  return first_column(source.exec(
      "select t.queue_name from londiste.table_info t join pgq_node.node_info n on n.queue_name = t.queue_name"
      " where n.combined_queue = $1 and n.node_type = 'leaf' and coalesce(t.dest_table, t.table_name) = $2"
      " and t.local and t.merge_state is distinct from 'ok' order by 1",
      combined, at_source.dest.str()));
}

}  // namespace skytools::londiste
