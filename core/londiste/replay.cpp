#include "core/londiste/replay.h"

#include "core/log/log.h"
#include "core/londiste/decode.h"

namespace skytools::londiste {

namespace {

constexpr auto kSequencePeriod = std::chrono::seconds(10);

using cascade::run_command;

void add_table(pg::Transaction& tx, const std::string& queue, const pgq::Event& e) {
  run_command(tx, "londiste.global_add_table($1, $2)", {queue, e.data});
}
// A table that is gone already: a merge leaf behind a combined branch may meet a batch again after a crash.
void remove_table(pg::Transaction& tx, const std::string& queue, const pgq::Event& e) {
  if (!find_table(tx, queue, e.data)) return;
  run_command(tx, "londiste.global_remove_table($1, $2)", {queue, e.data});
}
void remove_seq(pg::Transaction& tx, const std::string& queue, const pgq::Event& e) {
  if (!find_sequence(tx, queue, e.data)) return;
  run_command(tx, "londiste.global_remove_seq($1, $2)", {queue, e.data});
}
void update_seq(pg::Transaction& tx, const std::string& queue, const pgq::Event& e) {
  run_command(tx, "londiste.global_update_seq($1, $2, $3)", {queue, e.extra[0], e.data});
}
void execute(pg::Transaction&, const std::string&, const pgq::Event& e) {
  throw Error("event " + std::to_string(e.id) + " is an EXECUTE of " + e.extra[0].value_or("a script") +
              ", which this version does not replay");
}

struct SetEvent {
  std::string_view type;
  void (*apply)(pg::Transaction&, const std::string&, const pgq::Event&);
};
/// Events about the set itself; formats: docs/formats.md §6.
constexpr SetEvent kSetEvents[] = {
    {"londiste.add-table", add_table},
    {"londiste.remove-table", remove_table},
    {"londiste.update-seq", update_seq},
    {"londiste.remove-seq", remove_seq},
    {"EXECUTE", execute},
};

}  // namespace

Replay::Replay(ReplaySettings settings)
    : settings_(settings),
      sync_({settings.parallel_copies, settings.limits}),
      stats_due_(Clock::now() + settings.stats_period) {}

Replay::~Replay() = default;

void Replay::start(cascade::WorkerContext&) {
  session_.emplace();
  applier_.reset();
  sync_.tables_changed();
  cleaned_ = false;
}

bool Replay::prepare(cascade::WorkerContext& context, const pgq::Batch* batch) {
  if (!cleaned_) {
    // Not on a root, which applies nothing: its worker needs no such right.
    pg::Transaction tx(context.target, pg::Mode::autocommit);
    tx.exec("select londiste.set_session_replication_role('replica', false)");
    sync_.clean_up(context);
  }
  cleaned_ = true;
  if (!context.duties.applies) {
    // The data comes through the combined queue now, whose worker makes the copies.
    sync_.stand_by();
    return !context.stop.requested();
  }
  log_stats(context.settings.queue);
  bool go = sync_.prepare(context, batch);
  if (context.stop.requested()) sync_.cancel();
  return go;
}

void Replay::begin(cascade::WorkerContext& context, pg::Transaction& target, const pgq::Batch&) {
  handlers_.clear();
  batch_start_ = Clock::now();
  applier_ = std::make_unique<Applier>(target, *session_, settings_.limits, context.after_error);
}

Handler& Replay::handler_of(const Table& table) {
  auto& handler = handlers_[table.name];
  if (!handler) handler = make_handler(table);
  return *handler;
}

void Replay::data_event(const pgq::Event& e) {
  const Table* table = sync_.interesting(event_table(e), e.txid);
  if (!table) {
    ++ignored_;
    return;
  }
  plan_.clear();
  handler_of(*table).plan(e, plan_);
  for (auto& step : plan_) applier_->add(std::move(step));
}

void Replay::event(cascade::WorkerContext& context, pg::Transaction& target, const pgq::Event& e) {
  ++events_;
  if (is_data_event(e)) return data_event(e);
  for (auto& known : kSetEvents) {
    if (known.type != e.type) continue;
    applier_->flush();  // their place among the data events is kept
    sync_.tables_changed();
    return known.apply(target, context.settings.queue, e);
  }
  throw Error("unhandled event type in queue: " + e.type + " (ev_id " + std::to_string(e.id) + ")");
}

void Replay::finish(cascade::WorkerContext&, pg::Transaction&) { applier_->flush(); }

void Replay::committed(cascade::WorkerContext& context) {
  if (applier_->missed() > 0)
    log::warning("updates or deletes found no row here; compare the tables",
                 {{"queue", context.settings.queue}, {"rows", applier_->missed()}});
  applier_.reset();
  ++batches_;
  busy_ms_ += std::chrono::duration_cast<milliseconds>(Clock::now() - batch_start_).count();
}

void Replay::log_stats(const std::string& queue) {
  if (Clock::now() < stats_due_) return;
  stats_due_ = Clock::now() + settings_.stats_period;
  log::info(
      "replay",
      {{"queue", queue}, {"count", events_}, {"ignored", ignored_}, {"batches", batches_}, {"duration_ms", busy_ms_}});
  events_ = ignored_ = batches_ = busy_ms_ = 0;
}

void Replay::root_round(cascade::WorkerContext& context) {
  if (Clock::now() < sequences_due_) return;
  sequences_due_ = Clock::now() + kSequencePeriod;
  pg::Transaction tx(context.target, pg::Mode::autocommit);
  if (!cascade::takes_events(tx, context.settings.queue)) return;
  run_command(tx, "londiste.root_check_seqs($1)", {context.settings.queue});
}

}  // namespace skytools::londiste
