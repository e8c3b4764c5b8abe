#include "core/londiste/sync.h"

#include "core/base/failpoint.h"
#include "core/base/quote.h"
#include "core/log/log.h"
#include "core/londiste/merge_copy.h"
#include "core/londiste/table_copy.h"
#include "core/pgq/api.h"

namespace skytools::londiste {

namespace {
constexpr milliseconds kHandOverPoll(500);  ///< while standing still; notifications wake earlier

/// The copy stops at the tick before the batch's end. Of a batch over several ticks it would have applied all but the
/// last, and the main worker would apply them again: such a batch passes without the table.
bool single_tick(cascade::WorkerContext& context, const pgq::Batch& batch) {
  pg::Transaction tx(*context.source, pg::Mode::autocommit);
  return !tx.value<bool>(
      "select exists (select 1 from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue"
      " where q.queue_name = $1 and t.tick_id > $2 and t.tick_id < $3)",
      context.settings.queue, batch.prev_tick, batch.tick);
}
}  // namespace

void TableSync::load(cascade::WorkerContext& context) {
  pg::Transaction tx(context.target, pg::Mode::autocommit);
  tables_.clear();
  order_.clear();
  for (auto& table : table_list(tx, context.settings.queue)) {
    if (!table.local) continue;
    order_.push_back(table.name);
    tables_.emplace(table.name, std::move(table));
  }
  pending_keys_ = tx.value<bool>("select exists (select 1 from londiste.pending_fkeys)");
}

bool TableSync::busy() const {
  for (auto& [name, table] : tables_)
    if (table.state.kind != MergeState::ok) return true;
  return false;
}

bool TableSync::handing_over() const {
  for (auto& [name, table] : tables_)
    if (table.state.kind == MergeState::wanna_sync) return true;
  return false;
}

void TableSync::cancel() {
  for (auto& [name, job] : jobs_) job->cancel();
  jobs_.clear();
}

void TableSync::stand_by() {
  cancel();
  tables_.clear();
  changed_ = true;
}

void TableSync::start_job(cascade::WorkerContext& context, const std::string& table) {
  auto& job = jobs_[table];
  if (job && !job->finished()) return;
  job.reset();
  log::info("launching copy process", {{"queue", context.settings.queue}, {"table", table}});
  job = std::make_unique<CopyJob>(CopyJobSettings{.db = context.settings.db,
                                                  .queue = context.settings.queue,
                                                  .worker = context.state.worker_name,
                                                  .table = table,
                                                  .remote_extra = context.settings.remote_extra,
                                                  .limits = settings_.limits});
}

/// A copy was asked for anew while the old one led those of all parts. False: not now.
bool TableSync::start_over(cascade::WorkerContext& context, const Table& table) {
  jobs_.erase(table.name);
  try {
    undo_preparation(context.target, context.settings.queue, table);
    return true;
  } catch (const Error& e) {
    if (context.target.lost() || context.stop.requested()) throw;
    if (told_.insert(table.name).second) log::warning(e.what());
    return false;
  }
}

bool TableSync::start_wanted(cascade::WorkerContext& context) {
  std::size_t running = 0;
  for (auto& [name, table] : tables_) running += table.state.copying();
  std::vector<std::string> wanted;
  for (auto& name : order_)
    if (tables_.at(name).state.kind == MergeState::wanted) wanted.push_back(name);
  if (wanted.empty() || running >= settings_.parallel_copies) return false;
  std::map<std::string, Table> at_provider;
  {
    pg::Transaction tx(*context.source, pg::Mode::autocommit);
    for (auto& table : table_list(tx, context.settings.queue)) at_provider.emplace(table.name, table);
  }
  bool started = false;
  for (auto& name : wanted) {
    if (running >= settings_.parallel_copies) break;
    const Table& table = tables_.at(name);
    if (table.attribute("copy_node").empty()) {
      auto it = at_provider.find(name);
      bool local = it != at_provider.end() && it->second.local;
      if (!local || it->second.state.kind != MergeState::ok) {
        if (told_.insert(name).second)
          log::warning("table " + name + (local ? " not OK on provider, waiting" : " not available on provider"));
        continue;
      }
    }
    if (table.dropped_ddl && !start_over(context, table)) continue;
    told_.erase(name);
    drop_foreign_keys(context.target, table);
    {
      pg::Transaction tx(context.target);
      if (!move_table_state(tx, context.settings.queue, name, table.state, std::nullopt, {MergeState::in_copy, 0}))
        continue;
      tx.commit();
    }
    SKYTOOLS_FAILPOINT("sync.in_copy");
    start_job(context, name);
    ++running;
    started = true;
  }
  return started;
}

bool TableSync::round(cascade::WorkerContext& context, const pgq::Batch* batch) {
  load(context);
  std::erase_if(jobs_, [](auto& entry) { return entry.second->finished(); });
  bool again = false;
  for (auto& [name, table] : tables_) {
    if (!table.state.copying()) continue;
    if (table.state.kind == MergeState::wanna_sync && batch && batch->tick >= table.state.tick &&
        single_tick(context, *batch)) {
      pg::Transaction tx(context.target);
      move_table_state(tx, context.settings.queue, name, table.state, table.snapshot_text,
                       {MergeState::do_sync, batch->tick});
      tx.commit();
      SKYTOOLS_FAILPOINT("sync.do_sync");
      again = true;
    }
    // Nothing may pass a hand-over: the copy is on its way to this very tick.
    if (table.state.kind == MergeState::do_sync) again = true;
    start_job(context, name);  // also one whose process was killed
  }
  if (!again && start_wanted(context)) load(context);
  return again;
}

bool TableSync::prepare(cascade::WorkerContext& context, const pgq::Batch* batch) {
  // With every table in sync nothing moves by itself; others' changes come with a refreshed state.
  if (!context.refreshed && !changed_ && !busy() && jobs_.empty()) {
    if (batch) drop_snapshots(context, *batch);
    return true;
  }
  changed_ = false;
  while (round(context, batch)) {
    if (!pg::wait_readable({&context.target}, kHandOverPoll, context.stop)) return false;
    // Standing still is no reason not to answer; a pause or another provider ends it.
    if (!context.still_valid()) return false;
  }
  if (batch) drop_snapshots(context, *batch);
  restore_foreign_keys(context);
  return true;
}

const Table* TableSync::interesting(const std::string& name, std::int64_t txid) const {
  auto it = tables_.find(name);
  if (it == tables_.end() || it->second.state.kind != MergeState::ok) return nullptr;
  if (it->second.snapshot && it->second.snapshot->visible(txid)) return nullptr;  // came with the copy
  return &it->second;
}

void TableSync::drop_snapshots(cascade::WorkerContext& context, const pgq::Batch& batch) {
  std::optional<std::string> horizon;
  for (auto& [name, table] : tables_) {
    if (table.state.kind != MergeState::ok || !table.snapshot_text) continue;
    if (!horizon) {
      pg::Transaction tx(*context.source, pg::Mode::autocommit);
      pg::Result r = tx.exec(
          "select txid_snapshot_xmin(t.tick_snapshot) from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue"
          " where q.queue_name = $1 and t.tick_id = $2",
          context.settings.queue, batch.prev_tick);
      horizon = r.rows() ? std::string(r.text(0, 0)) : "0";
    }
    // Once every transaction the snapshot knows of lies before the batch, it can hide nothing any more.
    if (pg::parse<std::int64_t>(*horizon) < table.snapshot->xmax()) continue;
    pg::Transaction tx(context.target);
    if (!move_table_state(tx, context.settings.queue, name, table.state, std::nullopt, {MergeState::ok, 0})) {
      changed_ = true;
      continue;
    }
    tx.commit();
    table.snapshot.reset();
    table.snapshot_text.reset();
  }
}

void TableSync::restore_foreign_keys(cascade::WorkerContext& context) {
  if (!pending_keys_) return;
  pg::Transaction list(context.target, pg::Mode::autocommit);
  pg::Result r =
      list.exec("select from_table, fkey_name from londiste.get_valid_pending_fkeys($1)", context.settings.queue);
  for (int i = 0; i < r.rows(); ++i) {
    std::string from(r.text(i, 0)), key(r.text(i, 1));
    if (told_.contains("fkey " + key)) continue;
    log::info("creating fkey: " + key, {{"table", from}});
    try {
      for (;;) {
        pg::Transaction tx(context.target);
        auto sql = tx.value<std::string>("select londiste.restore_table_fkey($1, $2, true)", from, key);
        if (!sql.empty()) tx.script(sql);
        tx.commit();
        if (sql.empty()) break;
      }
    } catch (const pg::SqlError& e) {
      if (e.connection_lost()) throw;
      // A violated key must not stop replication: it stays pending until the next start.
      told_.insert("fkey " + key);
      log::error("foreign key " + key + " of " + from + " cannot be restored, it stays pending: " + e.what());
    }
  }
}

void TableSync::clean_up(cascade::WorkerContext& context) {
  if (!context.source) return;
  load(context);
  std::string prefix = copy_consumer(context.state.worker_name, "");
  std::vector<std::string> left;
  {
    pg::Transaction tx(context.target, pg::Mode::autocommit);
    pg::Result r =
        tx.exec("select consumer_name from pgq_node.get_consumer_info($1) where starts_with(consumer_name, $2)",
                context.settings.queue, prefix);
    for (int i = 0; i < r.rows(); ++i) left.emplace_back(r.text(i, 0));
  }
  for (auto& consumer : left) {
    std::string table = consumer.substr(prefix.size());
    auto it = tables_.find(table);
    if ((it != tables_.end() && it->second.state.copying()) || jobs_.contains(table)) continue;
    log::info("removing a finished copy's registration", {{"consumer", consumer}});
    remove_copy_consumer(*context.source, context.target, context.settings.queue, consumer);
  }
}

}  // namespace skytools::londiste
