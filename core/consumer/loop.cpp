#include "core/consumer/loop.h"

#include <algorithm>
#include <utility>

#include "core/base/failpoint.h"
#include "core/base/quote.h"
#include "core/base/strings.h"
#include "core/log/log.h"

namespace skytools::consumer {

namespace {

constexpr milliseconds kSignOfLife(1000);

std::int64_t since_ms(Clock::time_point then) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - then).count();
}

}  // namespace

std::string table_condition(const std::vector<std::string>& tables) {
  std::vector<std::string> names;
  for (auto& table : tables) names.push_back(quote_literal(TableName::parse(table).str()));
  return names.empty() ? "" : "ev_extra1 in (" + join(names, ", ") + ")";
}

void Work::finish(pg::Transaction& tx) {
  if (!source.answer(tx, batch, answers))
    throw Error("batch " + std::to_string(batch.id) + " was taken away while it was worked on");
  finished = true;
}

Loop::Loop(Settings settings, Sink& sink, Surroundings around, std::function<std::optional<Settings>()> reload)
    : settings_(std::move(settings)),
      sink_(sink),
      around_(std::move(around)),
      reload_(std::move(reload)),
      spool_(settings_.fetch_bytes),
      stats_due_(Clock::now() + settings_.stats_interval) {}

void Loop::run() {
  while (!around_.stop.requested())
    if (session()) break;
  sink_.stop(around_);
  log_stats();
}

bool Loop::session() {
  Source source(settings_.reader,
                {.stop = &around_.stop, .application_name = "skytools consumer", .on_wait = around_.alive});
  sink_.start(source);
  source.require_registered(settings_.may_register);
  around_.ready();
  auto renew_at = Clock::now() + settings_.lifetime;
  while (!around_.stop.requested()) {
    around_.alive();
    take_new_settings();
    if (Clock::now() >= stats_due_) log_stats();
    if (auto batch = source.next(settings_.shape)) {
      SKYTOOLS_FAILPOINT("consumer.after_next");
      process(source, *batch);
      continue;
    }
    if (settings_.once) return true;
    if (Clock::now() >= renew_at) return false;
    rest(source);
  }
  return true;
}

void Loop::rest(Source& source) {
  Deadline until(settings_.loop_delay);
  // In steps, so that a long loop_delay leaves no gap between signs of life.
  while (!until.passed()) {
    auto step = until.left(kSignOfLife);
    auto begun = Clock::now();
    if (!source.wait(step, around_.stop)) return;
    around_.alive();
    if (Clock::now() - begun < step) return;
  }
}

void Loop::process(Source& source, const pgq::Batch& batch) {
  auto begun = Clock::now();
  std::string copy = source.events_copy(table_condition(settings_.tables));
  if (!sink_.wanted(source, batch)) {
    log::info("the batch was worked off before, it is only closed",
              {{"queue", settings_.reader.queue}, {"batch_id", batch.id}, {"tick", batch.tick}});
    pgq::EventStream none([] { return std::nullopt; });
    Work work{source, batch, none, around_};
    close(work, 0);
  } else if (sink_.streams()) {
    pg::Transaction tx(source.connection(), pg::Mode::read_only);
    pg::CopyOut rows(tx, copy);
    pgq::EventStream events([&rows] { return rows.next(); });
    Work work{source, batch, events, around_};
    sink_.process(work);
    tx.commit();
    close(work, events.count());
  } else {
    {
      pg::Transaction tx(source.connection(), pg::Mode::autocommit);
      pg::CopyOut rows(tx, copy);
      spool_.fill(rows);
    }
    pgq::EventStream events([this] { return spool_.next(); });
    Work work{source, batch, events, around_, [this] { spool_.rewind(); }};
    sink_.process(work);
    close(work, spool_.rows());
  }
  busy_ms_ += since_ms(begun);
}

/// The batch is closed and counted.
void Loop::close(Work& work, std::int64_t events) {
  SKYTOOLS_FAILPOINT("consumer.before_finish");
  if (!work.finished && !work.source.answer(work.batch, work.answers))
    log::warning("the batch was taken away while it was worked on",
                 {{"queue", settings_.reader.queue}, {"batch_id", work.batch.id}});
  SKYTOOLS_FAILPOINT("consumer.after_finish");
  ++batches_;
  events_ += events;
  retried_ += static_cast<std::int64_t>(work.answers.retries.size());
  dead_ += static_cast<std::int64_t>(work.answers.dead.size());
  lag_ = work.batch.lag;
  if (log::enabled(log::Level::debug))
    log::debug("batch finished", {{"queue", settings_.reader.queue},
                                  {"batch_id", work.batch.id},
                                  {"tick", work.batch.tick},
                                  {"events", events}});
}

void Loop::take_new_settings() {
  if (!reload_) return;
  auto fresh = reload_();
  if (!fresh) return;
  fresh->reader = settings_.reader;
  settings_ = std::move(*fresh);
  stats_due_ = std::min(stats_due_, Clock::now() + settings_.stats_interval);
}

void Loop::log_stats() {
  stats_due_ = Clock::now() + settings_.stats_interval;
  const Reader& reader = settings_.reader;
  log::Fields fields{{"queue", reader.queue}, {"consumer", reader.name}};
  if (!reader.subconsumer.empty()) fields.emplace_back("subconsumer", reader.subconsumer);
  for (auto [key, value] : {std::pair{"count", events_},
                            {"batches", batches_},
                            {"retry", retried_},
                            {"dead", dead_},
                            {"duration_ms", busy_ms_},
                            {"lag_ms", static_cast<std::int64_t>(lag_ * 1000)}})
    fields.emplace_back(key, value);
  log::info("consumer", std::move(fields));
  events_ = batches_ = retried_ = dead_ = busy_ms_ = 0;
}

}  // namespace skytools::consumer
