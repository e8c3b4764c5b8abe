#include "core/consumer/source.h"

#include "core/consumer/session.h"
#include "core/log/log.h"
#include "core/pg/text.h"
#include "core/pgq/event_stream.h"

namespace skytools::consumer {

namespace {

/// Seconds until an event comes again where neither the asker nor the schema says it (the original's default).
constexpr std::int64_t kPlainRetrySeconds = 60;

// Batch and the query of its events in one round trip.
constexpr const char* kNextPlain =
    "select b.batch_id, b.cur_tick_id, b.prev_tick_id, b.cur_tick_time, b.prev_tick_time, b.cur_tick_event_seq,"
    " b.prev_tick_event_seq, extract(epoch from clock_timestamp() - b.cur_tick_time)::float8,"
    " pgq.batch_event_sql(b.batch_id)"
    " from pgq.next_batch_custom($1, $2, $3, $4, $5) b where b.batch_id is not null";
constexpr const char* kNextOfGroup =
    "select b.id, i.tick_id, i.prev_tick_id, i.batch_end, i.batch_start, i.seq_end, i.seq_start,"
    " extract(epoch from i.lag)::float8, pgq.batch_event_sql(b.id)"
    " from pgq_coop.next_batch_custom($1, $2, $6, $3, $4, $5, $7) as b(id), lateral pgq.get_batch_info(b.id) i"
    " where b.id is not null";

bool has_function(pg::Transaction& tx, const std::string& signature) {
  return tx.value<bool>("select to_regprocedure($1) is not null", signature);
}

}  // namespace

Source::Source(const Reader& reader, const pg::ConnectOptions& options)
    : reader_(reader), c_("db", reader.db, options) {
  prepare_session(c_, "UTF8");
  check_schemas();
  listen();
}

void Source::check_schemas() {
  pg::Transaction tx(c_, pg::Mode::autocommit);
  auto need = [&](const char* signature, const std::string& module) {
    if (!has_function(tx, signature)) schema_is_missing(c_, module);
  };
  need("pgq.next_batch_custom(text,text,interval,integer,interval)", "pgq");
  if (!reader_.subconsumer.empty())
    need("pgq_coop.next_batch_custom(text,text,text,interval,integer,interval,interval)", "pgq_coop");
  has_answers_ = has_function(tx, "skytools.answer_batch(bigint,bigint[],integer[],bigint[],text[])");
}

void Source::listen() {
  std::optional<std::string> channel;
  {
    pg::Transaction tx(c_, pg::Mode::autocommit);
    channel = pgq::tick_channel(tx, reader_.queue);
  }
  if (!channel)
    throw Error("[" + c_.label() + "] queue '" + reader_.queue +
                "' does not exist; create it with: skytools queue create " + reader_.queue);
  static bool warned = false;  // once per process is enough
  if (!pg::listen(c_, *channel) && !std::exchange(warned, true))
    log::warning("LISTEN does not last on this connection (a pooler?), polling instead", {{"queue", reader_.queue}});
}

bool Source::registered() {
  pg::Transaction tx(c_, pg::Mode::autocommit);
  return tx.exec("select 1 from pgq.get_consumer_info($1, $2)", reader_.queue, reader_.name).rows() > 0;
}

bool Source::register_at(std::optional<std::int64_t> tick) {
  pg::Transaction tx(c_, pg::Mode::autocommit);
  return pgq::register_consumer(tx, reader_.queue, reader_.name, tick);
}

void Source::require_registered(bool may_register) {
  if (registered()) return;
  if (!may_register)
    throw Error("[" + c_.label() + "] consumer '" + reader_.name + "' is not registered on queue '" + reader_.queue +
                "'; --register does it, or: skytools queue register " + reader_.queue + " " + reader_.name);
  if (register_at(std::nullopt)) log::info("registered", {{"queue", reader_.queue}, {"consumer", reader_.name}});
}

std::optional<pgq::Batch> Source::next(const pgq::BatchShape& shape) {
  pg::Transaction tx(c_, pg::Mode::autocommit);
  c_.notifications();  // what they told is seen by the call that follows; later ones end the next wait()
  auto lag = pgq::interval_text(shape.keep_lag), span = pgq::interval_text(shape.min_interval);
  pg::Result r = reader_.subconsumer.empty()
                     ? tx.exec(kNextPlain, reader_.queue, reader_.name, lag, shape.min_count, span)
                     : tx.exec(kNextOfGroup, reader_.queue, reader_.name, lag, shape.min_count, span,
                               reader_.subconsumer, pgq::interval_text(reader_.dead_after));
  if (r.rows() == 0) return std::nullopt;
  auto [id, tick, prev, time, prev_time, seq, prev_seq, age, sql] =
      r.row<std::int64_t, std::int64_t, std::int64_t, std::string, std::string, std::int64_t, std::int64_t, double,
            std::string>(0);
  events_sql_ = sql;
  return pgq::Batch{id, tick, prev, time, prev_time, seq, prev_seq, age};
}

std::string Source::events_copy(const std::string& filter) const { return pgq::events_copy(events_sql_, filter); }

bool Source::answer(pg::Transaction& tx, const pgq::Batch& batch, const Answers& answers) {
  if (!has_answers_) return answer_plainly(tx, batch, answers);
  std::vector<std::optional<std::string>> retry_ids, retry_seconds, dead_ids, dead_reasons;
  for (auto& retry : answers.retries) {
    retry_ids.emplace_back(std::to_string(retry.event));
    retry_seconds.push_back(retry.seconds ? std::optional(std::to_string(*retry.seconds)) : std::nullopt);
  }
  for (auto& dead : answers.dead) {
    dead_ids.emplace_back(std::to_string(dead.event));
    dead_reasons.emplace_back(dead.reason);
  }
  return tx.value<int>("select skytools.answer_batch($1, $2, $3, $4, $5)", batch.id, pg::array_text(retry_ids),
                       pg::array_text(retry_seconds), pg::array_text(dead_ids), pg::array_text(dead_reasons)) == 1;
}

bool Source::answer(const pgq::Batch& batch, const Answers& answers) {
  // A single statement needs no BEGIN and COMMIT, two round trips of the three.
  pg::Transaction tx(c_, has_answers_ || answers.all_done() ? pg::Mode::autocommit : pg::Mode::read_write);
  bool ours = answer(tx, batch, answers);
  tx.commit();
  return ours;
}

/// The same with the functions of the original alone, which know no dead events.
bool Source::answer_plainly(pg::Transaction& tx, const pgq::Batch& batch, const Answers& answers) {
  if (!answers.dead.empty())
    throw SchemaMissing("[" + c_.label() + "] event " + std::to_string(answers.dead[0].event) +
                        " cannot be put aside as dead without the schema skytools; run: skytools install");
  if (!answers.retries.empty()) {
    std::vector<std::optional<std::string>> ids, seconds;
    for (auto& retry : answers.retries) {
      ids.emplace_back(std::to_string(retry.event));
      seconds.emplace_back(std::to_string(retry.seconds.value_or(kPlainRetrySeconds)));
    }
    tx.exec("select pgq.event_retry($1, r.id, r.seconds) from unnest($2::bigint[], $3::integer[]) as r(id, seconds)",
            batch.id, pg::array_text(ids), pg::array_text(seconds));
  }
  std::string function = reader_.subconsumer.empty() ? "pgq.finish_batch" : "pgq_coop.finish_batch";
  return tx.value<int>("select " + function + "($1)", batch.id) == 1;
}

bool Source::wait(milliseconds d, const StopToken& stop) {
  // A notification may have come along with the answer to a query: no input would show it any more.
  if (!c_.notifications().empty()) return !stop.requested();
  return pg::wait_readable({&c_}, d, stop);
}

}  // namespace skytools::consumer
