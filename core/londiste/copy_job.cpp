#include "core/londiste/copy_job.h"

#include <algorithm>

#include "core/base/failpoint.h"
#include "core/base/strings.h"
#include "core/cascade/node.h"
#include "core/log/log.h"
#include "core/londiste/decode.h"
#include "core/londiste/handler.h"
#include "core/londiste/merge_copy.h"
#include "core/londiste/table_copy.h"
#include "core/pgq/api.h"
#include "core/pgq/event_stream.h"

namespace skytools::londiste {

namespace {
using std::chrono::seconds;
constexpr milliseconds kFirstPause(500), kLongestPause(20'000);
constexpr milliseconds kPoll(1000);     ///< longest sleep; notifications wake earlier
constexpr std::int64_t kNearTicks = 5;  ///< so close to the newest tick the hand-over begins
}  // namespace

std::pair<std::string, std::string> copy_source(pg::Transaction& tx, const std::string& queue, const Table& table) {
  std::string node = table.attribute("copy_node");
  cascade::WorkerState state = cascade::worker_state(tx, queue);
  // The snapshot of a copy is compared with the provider's transactions, so it has to be the provider's.
  if (!node.empty() && node != state.provider_node)
    throw Error("table " + table.name + " is to be copied from node " + node +
                "; this version copies from the provider, " + state.provider_node);
  return {state.provider_node, state.provider_location};
}

void remove_copy_consumer(pg::Connection& source, pg::Connection& target, const std::string& queue,
                          const std::string& consumer) {
  {
    pg::Transaction tx(source, pg::Mode::autocommit);
    pgq::unregister_consumer(tx, queue, consumer);
  }
  pg::Transaction tx(target, pg::Mode::autocommit);
  cascade::run_command(tx, "pgq_node.unregister_consumer($1, $2)", {queue, consumer});
}

struct CopyJob::Session {
  explicit Session(CopyJob& job);
  void run();

 private:
  bool step();  ///< false: the table needs no copy process any more
  void register_consumer();
  bool may_copy();
  std::optional<CopyMode> prepare_table();
  void copy();
  bool catch_up();
  bool hand_over(const pgq::Batch& batch);
  void apply(const pgq::Batch& batch);
  void set_state(const std::optional<std::string>& snapshot, const MergeState& state);
  std::optional<pgq::Batch> next_batch();  ///< the next one that is not applied yet
  std::int64_t completed_tick();
  void force_tick();
  void wait(milliseconds d);
  void reload();

  const CopyJobSettings& s_;
  StopToken& stop_;
  std::string consumer_;
  pg::Connection target_;
  std::unique_ptr<pg::Connection> source_;
  std::string source_node_;
  std::optional<Table> table_;
  TableName source_name_;  ///< the table at the source
  bool told_ = false;      ///< that the source is not ready
  ApplySession apply_session_;
};

CopyJob::CopyJob(CopyJobSettings settings) : settings_(std::move(settings)), thread_([this] { run(); }) {}

CopyJob::~CopyJob() {
  stop_.cancel();
  if (thread_.joinable()) thread_.join();
}

void CopyJob::run() {
  milliseconds pause = kFirstPause;
  while (!stop_.requested()) {
    try {
      Session session(*this);
      session.run();
      break;
    } catch (const Stopped&) {
      break;
    } catch (const std::exception& e) {
      log::error("copy of " + settings_.table + ": " + describe(e),
                 {{"queue", settings_.queue}, {"retry_in_ms", pause.count()}});
      cascade::store_error(settings_.db, settings_.queue, copy_consumer(settings_.worker, settings_.table), describe(e),
                           stop_);
      stop_.wait(pause);
      pause = std::min(pause * 2, kLongestPause);
    }
  }
  finished_ = true;
}

CopyJob::Session::Session(CopyJob& job)
    : s_(job.settings_),
      stop_(job.stop_),
      consumer_(copy_consumer(s_.worker, s_.table)),
      target_("db", s_.db, {.stop = &stop_, .application_name = "skytools copy"}) {
  pg::listen(target_, cascade::kNodeChannel);
  reload();
  if (!table_) return;
  std::string location, encoding;
  {
    pg::Transaction tx(target_, pg::Mode::autocommit);
    std::tie(source_node_, location) = copy_source(tx, s_.queue, *table_);
    tx.exec("select londiste.set_session_replication_role('replica', false)");
  }
  if (!s_.remote_extra.empty()) location += " " + s_.remote_extra;
  source_ = std::make_unique<pg::Connection>("source " + source_node_, location,
                                             pg::ConnectOptions{.stop = &stop_, .application_name = "skytools copy"});
  {
    pg::Transaction tx(*source_, pg::Mode::autocommit);
    encoding = tx.value<std::string>("select current_setting('server_encoding')");
    if (auto channel = pgq::tick_channel(tx, s_.queue)) pg::listen(*source_, *channel);
  }
  cascade::prepare_session(*source_, encoding);
  cascade::prepare_session(target_, encoding);
}

void CopyJob::Session::reload() {
  pg::Transaction tx(target_, pg::Mode::autocommit);
  table_ = find_table(tx, s_.queue, s_.table);
}

void CopyJob::Session::wait(milliseconds d) {
  pg::wait_readable({&target_, source_.get()}, d, stop_);
  target_.notifications();
  if (source_) source_->notifications();
}

void CopyJob::Session::set_state(const std::optional<std::string>& snapshot, const MergeState& state) {
  pg::Transaction tx(target_);
  // Asked for anew meanwhile: the next step sees that.
  if (!move_table_state(tx, s_.queue, s_.table, table_->state, snapshot, state)) return;
  tx.commit();
  table_->state = state;
}

void CopyJob::Session::run() {
  if (!source_) return;
  if (table_->local && table_->state.copying()) {
    log::info("using '" + source_node_ + "' as source node", {{"table", s_.table}});
    register_consumer();
  }
  while (step()) stop_.check();
  remove_copy_consumer(*source_, target_, s_.queue, consumer_);
}

/// Both sides keep what an earlier job registered, so its position is not lost.
void CopyJob::Session::register_consumer() {
  std::optional<std::int64_t> position;
  {
    pg::Transaction tx(*source_);
    pgq::register_consumer(tx, s_.queue, consumer_);
    position = pgq::consumer_position(tx, s_.queue, consumer_);
    tx.commit();
  }
  pg::Transaction tx(target_);
  if (!cascade::consumer_state(tx, s_.queue, consumer_))
    cascade::run_command(tx, "pgq_node.register_consumer($1, $2, $3, $4)",
                         {s_.queue, consumer_, source_node_, position});
  cascade::run_command(tx, "pgq_node.set_consumer_uptodate($1, $2, true)", {s_.queue, consumer_});
  tx.commit();
  SKYTOOLS_FAILPOINT("copy.registered");
}

bool CopyJob::Session::step() {
  reload();
  if (!table_ || !table_->local) return false;
  switch (table_->state.kind) {
    case MergeState::in_copy:
      copy();
      return true;
    case MergeState::catching_up:
    case MergeState::wanna_sync:
    case MergeState::do_sync:
      return catch_up();
    case MergeState::wanted:
    case MergeState::ok:
      return false;
  }
  return false;
}

bool CopyJob::Session::may_copy() {
  constexpr std::int64_t kMaxParallel = 8;
  std::string limit = table_->attribute("max_parallel_copy");
  if (table_->copy_role == "wait-copy") return false;
  if (table_->copy_position >= (limit.empty() ? kMaxParallel : pg::parse<std::int64_t>(limit))) return false;
  pg::Transaction tx(*source_, pg::Mode::autocommit);
  auto at_source = find_table(tx, s_.queue, s_.table);
  if (!at_source || !at_source->local) throw Error("table " + s_.table + " not available on provider " + source_node_);
  std::string reason;
  if (at_source->state.kind != MergeState::ok) reason = "it is not OK there";
  if (auto parts = parts_missing(tx, s_.queue, *at_source); !parts.empty())
    reason = "rows of " + join(parts, ", ") + " are still to come there";
  source_name_ = at_source->dest;
  if (reason.empty()) return true;
  if (!told_) log::info("table " + s_.table + " has to wait for provider " + source_node_ + ": " + reason);
  told_ = true;
  return false;
}

/// Makes the table ready as this part's role asks for, and says how to copy; nullopt: not yet.
std::optional<CopyMode> CopyJob::Session::prepare_table() {
  if (table_->copy_role == "wait-replay") return CopyMode::add;
  if (table_->dropped_ddl) return CopyMode::add;  // prepared before a crash, and others may have copied since
  if (table_->copy_role == "lead") {
    if (!prepare_merged_table(target_, s_.queue, *table_)) return std::nullopt;
    return CopyMode::add;
  }
  if (table_->attribute("skip_truncate") == "1") return CopyMode::replace;
  pg::Transaction tx(target_, pg::Mode::autocommit);
  if (auto others = parts_present(tx, s_.queue, *table_); !others.empty())
    throw Error("table " + s_.table + " cannot be emptied: rows of " + join(others, ", ") +
                " are in it; copy those parts anew, too, or add it with --skip-truncate");
  return CopyMode::replace;
}

void CopyJob::Session::copy() {
  if (!may_copy()) return wait(kPoll);
  drop_foreign_keys(target_, *table_);
  auto mode = prepare_table();
  if (!mode) return wait(kPoll);
  pg::Transaction source(*source_, pg::Mode::repeatable_read);
  pg::Transaction target(target_);
  CopyReport report = copy_table(source, target, *table_, source_name_, *mode);
  if (!move_table_state(target, s_.queue, s_.table, table_->state, report.snapshot, {MergeState::catching_up, 0}))
    return;
  SKYTOOLS_FAILPOINT("copy.before_commit");
  target.commit();
  SKYTOOLS_FAILPOINT("copy.after_commit");
  source.commit();
  {
    pg::Transaction tx(target_, pg::Mode::autocommit);
    tx.exec("analyze " + table_->dest.sql());
  }
  if (table_->copy_role != "wait-replay") force_tick();
}

void CopyJob::Session::force_tick() {
  // Ticks are made at the root; a branch below it gets them with the events.
  try {
    auto root = cascade::connect_root(*source_, s_.queue, {.stop = &stop_, .application_name = "skytools copy"});
    pg::Transaction tx(root ? *root : *source_, pg::Mode::autocommit);
    pgq::force_tick(tx, s_.queue);
  } catch (const pg::SqlError& e) {
    if (source_->lost()) throw;
    log::info("no tick could be asked for, waiting for the next one", {{"table", s_.table}, {"reason", e.message()}});
  }
}

std::optional<pgq::Batch> CopyJob::Session::next_batch() {
  for (;;) {
    pg::Transaction tx(*source_, pg::Mode::autocommit);
    auto batch = pgq::next_batch(tx, s_.queue, consumer_);
    if (!batch || completed_tick() != batch->tick) return batch;
    // Applied before a crash: handed over as unapplied, the main worker would apply it again.
    pgq::finish_batch(tx, batch->id);
  }
}

std::int64_t CopyJob::Session::completed_tick() {
  pg::Transaction tx(target_, pg::Mode::autocommit);
  auto state = cascade::consumer_state(tx, s_.queue, consumer_);
  return state ? state->completed_tick : 0;
}

bool CopyJob::Session::catch_up() {
  const MergeState state = table_->state;
  if (state.kind == MergeState::catching_up && (table_->copy_role == "wait-replay" || table_->copy_role == "lead")) {
    wait(kPoll);
    return true;
  }
  if (state.kind == MergeState::catching_up && table_->dropped_ddl) {
    restore_structure(target_, s_.queue, *table_);
    return true;
  }
  auto batch = next_batch();
  if (!batch || state.kind == MergeState::wanna_sync) {
    wait(kPoll);
    return true;
  }
  if (state.kind == MergeState::do_sync) return hand_over(*batch);
  // catching-up: with more ticks waiting it is too early to hand over.
  std::optional<std::int64_t> newest;
  {
    pg::Transaction tx(*source_, pg::Mode::autocommit);
    newest = pgq::newest_tick(tx, s_.queue);
  }
  if (newest && *newest > batch->tick + kNearTicks) {
    apply(*batch);
    return true;
  }
  set_state(table_->snapshot_text, {MergeState::wanna_sync, batch->tick});
  force_tick();  // the main worker acts at its next batch
  SKYTOOLS_FAILPOINT("copy.wanna_sync");
  return true;
}

bool CopyJob::Session::hand_over(const pgq::Batch& batch) {
  if (batch.tick > table_->state.tick)
    throw Error("invalid table state: " + s_.table + " is to be handed over at tick " +
                std::to_string(table_->state.tick) + ", but the copy stands at " + std::to_string(batch.tick));
  if (batch.tick < table_->state.tick) {
    apply(batch);
    return true;
  }
  SKYTOOLS_FAILPOINT("copy.do_sync");
  set_state(table_->snapshot_text, {MergeState::ok, 0});  // the main worker applies this batch
  SKYTOOLS_FAILPOINT("copy.handed_over");
  return false;
}

void CopyJob::Session::apply(const pgq::Batch& batch) {
  if (std::int64_t completed = completed_tick(); completed != batch.prev_tick)
    throw Error("lost position: copy batch " + std::to_string(batch.prev_tick) + ".." + std::to_string(batch.tick) +
                ", but tick " + std::to_string(completed) + " is completed");
  auto handler = make_handler(*table_);
  pg::Transaction target(target_);
  // Who asks for a new copy waits for this batch: after that the table may be emptied by the copy of another part.
  if (!table_state_holds(target, s_.queue, s_.table, table_->state)) return;
  Applier applier(target, apply_session_, s_.limits, false);
  pg::Transaction source(*source_, pg::Mode::read_only);
  pgq::EventStream events(source, batch.id, "ev_extra1 = " + quote_literal(s_.table));
  ApplyPlan plan;
  while (const pgq::Event* e = events.next()) {
    if (!is_data_event(*e) || (table_->snapshot && table_->snapshot->visible(e->txid))) continue;
    plan.clear();
    handler->plan(*e, plan);
    for (auto& step : plan) applier.add(std::move(step));
    stop_.check();
  }
  applier.flush();
  cascade::run_command(target, "pgq_node.set_consumer_completed($1, $2, $3)", {s_.queue, consumer_, batch.tick});
  SKYTOOLS_FAILPOINT("copy.before_batch_commit");
  target.commit();
  source.commit();
  SKYTOOLS_FAILPOINT("copy.before_finish");
  pg::Transaction tx(*source_, pg::Mode::autocommit);
  pgq::finish_batch(tx, batch.id);
}

}  // namespace skytools::londiste
