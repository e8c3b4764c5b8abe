#include "core/consumer/sql_sink.h"

#include <deque>

#include "core/base/failpoint.h"
#include "core/consumer/session.h"
#include "core/log/log.h"

namespace skytools::consumer {

namespace {

constexpr std::size_t kShown = 2000;  // bytes of an event in a message
// The unnamed statement, parsed in each transaction: behind a transaction pooler the next one has another session,
// where a name stands for nothing, or for the statement of another consumer.
constexpr const char* kPrepared = "";

// Events of the batch that were not run, remembered in pgq_ext.completed_event beside the consumer's own rows: after a
// crash between the target's commit and the source's, they still have to be answered.
constexpr const char* kRetryMark = "#retry";
constexpr const char* kDeadMark = "#dead";

/// Faults of the server or of the setup, which the next event would meet as well: SQLSTATE classes.
constexpr std::string_view kSystemic[] = {"08", "25", "28", "3D", "40", "53", "55", "57", "58", "F0", "XX"};

bool is_systemic(const pg::SqlError& e) {
  if (e.retryable()) return true;
  for (auto code : kSystemic)
    if (e.sqlstate().starts_with(code)) return e.sqlstate() != "57014";
  return false;
}

}  // namespace

Tracking parse_tracking(std::string_view word) {
  if (word == "auto") return Tracking::automatic;
  if (word == "none") return Tracking::none;
  if (word == "pgq_ext") return Tracking::pgq_ext;
  throw UsageError("tracking must be auto, none or pgq_ext, not '" + std::string(word) + "'");
}

SqlSink::SqlSink(SqlSettings settings, StopToken& stop, std::function<void()> alive)
    : settings_(std::move(settings)),
      statement_(Statement::parse(settings_.statement)),
      stop_(stop),
      alive_(std::move(alive)) {}

void SqlSink::start(Source& source) {
  tracks_ = false;
  own_.reset();
  if (!settings_.target.empty()) {
    own_ = std::make_unique<pg::Connection>(
        "target", settings_.target,
        pg::ConnectOptions{.stop = &stop_, .application_name = "skytools consumer", .on_wait = alive_});
    prepare_session(*own_, "UTF8");
    // The same user and settings, too: otherwise the statement keeps the connection, and the rights, it was given.
    bool same = settings_.finish_early && same_database(source.connection(), *own_);
    if (same && same_session(source.connection(), *own_)) own_.reset();
  }
  target_ = own_ ? own_.get() : &source.connection();
  name_ = source.reader().name;
  member_ = source.reader().subconsumer;
  mark_ = TargetMark(name_, member_);
  if (own_ && settings_.tracking != Tracking::none) {
    pg::Transaction tx(*target_, pg::Mode::autocommit);
    tracks_ = tx.value<bool>("select to_regprocedure('pgq_ext.is_batch_done(text,text,bigint)') is not null");
    if (!tracks_ && settings_.tracking == Tracking::pgq_ext) schema_is_missing(*target_, "pgq_ext");
    if (!tracks_)
      log::warning("the target has no schema pgq_ext: after a crash a batch may be run again",
                   {{"consumer", name_}, {"target", target_->label()}});
  }
  pg::Transaction tx(*target_);  // a mistake in the statement shows at once
  prepare(tx);
  tx.commit();
}

/// The same batch id with another tick is the batch of another database.
bool SqlSink::done_before(pg::Transaction& tx, const pgq::Batch& batch) const {
  return tx.value<bool>("select pgq_ext.is_batch_done($1, $2, $3)", name_, member_, batch.id) &&
         mark_.fits(tx, batch.tick, batch.tick_time);
}

bool SqlSink::wanted(Source&, const pgq::Batch& batch) {
  if (!tracks_) return true;
  pg::Transaction tx(*target_, pg::Mode::autocommit);
  if (!done_before(tx, batch)) return true;
  return tx.value<bool>("select pgq_ext.is_event_done($1, $2, $3, 0)", name_, member_ + kRetryMark, batch.id);
}

void SqlSink::process(Work& work) {
  bool applied = false;
  try {
    applied = apply(work, &SqlSink::run_all);
  } catch (const pg::PipelineError& e) {
    if (is_systemic(e) || target_->lost()) throw;
    log::debug("a statement failed, the batch is run again event by event", {{"error", std::string(e.what())}});
    work.rewind();
    applied = apply(work, &SqlSink::run_carefully);
  }
  if (!applied) recall_answers(work);
}

bool SqlSink::apply(Work& work, void (SqlSink::*run)(Work&, pg::Transaction&)) {
  pg::Transaction tx(*target_);
  if (tracks_) {
    mark_.lock(tx);
    if (done_before(tx, work.batch)) return false;
  }
  (this->*run)(work, tx);
  commit(work, tx);
  return true;
}

void SqlSink::prepare(pg::Transaction& tx) {
  pg::Pipeline pipeline(tx);
  try {
    pipeline.prepare(kPrepared, statement_.sql, 0);
    pipeline.sync();
  } catch (const pg::PipelineError& e) {
    throw pg::SqlError(e.connection(), e.sqlstate(), "the statement cannot be prepared: " + e.message(), e.position());
  }
}

void SqlSink::send(pg::Pipeline& pipeline, const pgq::Event& e) {
  pipeline.run(kPrepared, Parameters(statement_, e).values(), e.id);
}

void SqlSink::run_all(Work& work, pg::Transaction& tx) {
  pg::Pipeline pipeline(tx);
  pipeline.prepare(kPrepared, statement_.sql, 0);
  Clock::time_point alive_due{};
  while (const pgq::Event* e = work.events.next()) {
    if (auto now = Clock::now(); now >= alive_due) work.around.alive(), alive_due = now + milliseconds(1000);
    send(pipeline, *e);
  }
  pipeline.sync();
}

/// A savepoint per event: what fails is undone and answered, what went well stays. Statements fly until one fails.
void SqlSink::run_carefully(Work& work, pg::Transaction& tx) {
  constexpr std::size_t kAhead = 200;  // events in flight, kept here until their answers are in
  std::deque<pgq::Event> flying;
  bool more = true;
  while (more || !flying.empty()) {
    while (more && flying.size() < kAhead) {
      const pgq::Event* e = work.events.next();
      if (e) flying.push_back(*e);
      more = e != nullptr;
    }
    work.around.alive();
    try {
      pg::Pipeline pipeline(tx);
      for (auto& e : flying) {
        pipeline.exec("savepoint skytools_event", {}, e.id);
        pipeline.prepare(kPrepared, statement_.sql, e.id);  // the savepoint took its place
        send(pipeline, e);
        pipeline.exec("release skytools_event", {}, e.id);
      }
      pipeline.sync();
      flying.clear();
    } catch (const pg::PipelineError& error) {
      if (is_systemic(error) || target_->lost()) throw;
      while (flying.front().id != error.tag()) flying.pop_front();
      failed(work, flying.front(), error);
      flying.pop_front();
      tx.exec("rollback to skytools_event");
    }
  }
}

void SqlSink::failed(Work& work, const pgq::Event& e, const pg::SqlError& error) {
  if (settings_.on_error == OnError::stop) {
    std::string text;
    EventJson json(work.source.reader().queue, name_);
    json.set_batch(work.batch);
    json.append(e, text);
    text.pop_back();
    if (text.size() > kShown) text = text.substr(0, kShown) + "…";
    throw Error("event " + std::to_string(e.id) + " failed: " + error.what() + "; the event: " + text);
  }
  log::warning("event failed: " + std::string(error.what()), {{"event", e.id}, {"batch_id", work.batch.id}});
  if (settings_.on_error == OnError::dead)
    work.answers.give_up(e.id, error.message() + " (" + error.sqlstate() + ")");
  else
    work.answers.retry(e.id);
}

void SqlSink::commit(Work& work, pg::Transaction& tx) {
  if (!own_ && settings_.finish_early) work.finish(tx);
  if (tracks_) {
    remember_answers(work, tx);
    tx.exec("select pgq_ext.set_batch_done($1, $2, $3)", name_, member_, work.batch.id);
    mark_.remember(tx, work.batch);
  }
  SKYTOOLS_FAILPOINT("consumer.before_target_commit");
  tx.commit();
  SKYTOOLS_FAILPOINT("consumer.after_target_commit");
}

void SqlSink::remember_answers(const Work& work, pg::Transaction& tx) {
  auto mark = [&](const char* suffix, std::int64_t event) {
    tx.exec("select pgq_ext.set_event_done($1, $2, $3, $4)", name_, member_ + suffix, work.batch.id, event);
  };
  if (!work.answers.all_done()) mark(kRetryMark, 0);  // event ids begin at 1: there is something to recall
  for (auto& retry : work.answers.retries) mark(kRetryMark, retry.event);
  for (auto& dead : work.answers.dead) mark(kDeadMark, dead.event);
}

/// The target has the batch, but its answers may not have reached the source.
void SqlSink::recall_answers(Work& work) {
  pg::Transaction tx(*target_, pg::Mode::read_only);
  auto marked = [&](const char* suffix, std::int64_t event) {
    return tx.value<bool>("select pgq_ext.is_event_done($1, $2, $3, $4)", name_, member_ + suffix, work.batch.id,
                          event);
  };
  while (const pgq::Event* e = work.events.next()) {
    if (marked(kRetryMark, e->id)) work.answers.retry(e->id);
    if (marked(kDeadMark, e->id)) work.answers.give_up(e->id, "failed before a restart; the log of that time says why");
  }
  tx.commit();
}

}  // namespace skytools::consumer
