#include "core/ticker/api.h"

#include <utility>

#include "core/base/quote.h"
#include "core/base/strings.h"

namespace skytools::ticker {

namespace {

constexpr std::string_view kLockClass = "1397446516";  // 'SKYt'

using pg::Mode;
using pg::Transaction;

/// The newest tick and the one before come from the primary key of pgq.tick. No txid_current() here: it would take an
/// id. Last column: a snapshot says nothing about open transactions at or above its xmax, but the transaction that
/// wrote the tick took its id after all of them; once no lower id is open (modulo 2^32, as row headers count), all have
/// ended.
constexpr const char* kPrepareCheck = R"sql(
prepare skytools_check as
select q.queue_name,
       t.tick_id,
       coalesce(t.tick_event_seq, 0),
       case c.relkind when 'S' then coalesce(pg_catalog.pg_sequence_last_value(c.oid), 0) end,
       q.queue_ticker_max_count,
       floor(extract(epoch from q.queue_ticker_max_lag) * 1000)::bigint,
       floor(extract(epoch from q.queue_ticker_idle_period) * 1000)::bigint,
       coalesce(floor(extract(epoch from now() - t.tick_time) * 1000)::bigint, 0),
       ceil(extract(epoch from t.tick_time - p.tick_time) * 1000)::bigint,
       pgq.quote_fqname(q.queue_data_pfx),
       pgq.quote_fqname(q.queue_event_seq),
       coalesce(pg_catalog.txid_snapshot_xmax(t.tick_snapshot), 0),
       array(select pg_catalog.txid_snapshot_xip(t.tick_snapshot))::text,
       coalesce((pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot()) - t.row_xid) & 4294967295
                between 1 and 2147483647, false),
       case c.relkind when 'S' then c.oid end
  from pgq.queue q
  left join lateral (select tick_id, tick_time, tick_event_seq, tick_snapshot, xmin::text::bigint as row_xid
                       from pgq.tick where tick_queue = q.queue_id
                      order by tick_queue desc, tick_id desc limit 1) t on true
  left join lateral (select tick_time
                       from pgq.tick where tick_queue = q.queue_id and tick_id < t.tick_id
                      order by tick_queue desc, tick_id desc limit 1) p on true
  left join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(pgq.quote_fqname(q.queue_event_seq))
 where not q.queue_external_ticker and not q.queue_ticker_paused
 order by q.queue_name)sql";

/// Under the same snapshot ($2) no transaction that wrote anything has ended: then the sequences need no look.
constexpr const char* kPrepareGlance = R"sql(
prepare skytools_glance (oid[], text) as
select s, case when s <> $2 then
         (select coalesce(sum(pg_catalog.pg_sequence_last_value(o)), 0) from unnest($1) o) || ' '
         || (select coalesce(sum(xmin::text::bigint), 0) || ' ' || count(*) from pgq.queue) end
  from (select pg_catalog.txid_current_snapshot()::text) t (s))sql";

/// Members of a cooperative group have no position of their own while they work; their main consumer stands for them.
/// A consumer two ticks behind works on the newest but one, or has just been told of the newest.
constexpr const char* kAudiences = R"sql(
select q.queue_name,
       bool_or(not s.lags or s.works),
       bool_or(s.lags and not s.works),
       coalesce(max(s.behind) filter (where s.lags and s.works), 0)
  from pgq.queue q
  join lateral (select tick_id from pgq.tick where tick_queue = q.queue_id
                 order by tick_queue desc, tick_id desc limit 1) t on true
  join lateral (select t.tick_id - sub_last_tick as behind, t.tick_id - sub_last_tick > 2 as lags,
                       sub_active > now() - interval '10 seconds' as works
                  from pgq.subscription join pgq.consumer on co_id = sub_consumer
                 where sub_queue = q.queue_id and sub_last_tick is not null and co_name not like '.%') s on true
 where not q.queue_external_ticker and not q.queue_ticker_paused
 group by q.queue_name)sql";

std::string interval(milliseconds d) { return "interval '" + std::to_string(d.count()) + " ms'"; }

bool is_vacuum(std::string_view function) {
  std::string word = lower(function);
  return word == "vacuum" || word == "vacuum analyze";
}

}  // namespace

std::string Operation::sql() const {
  if (is_vacuum(function)) {
    if (!argument) throw Error("'" + function + "' names no table");
    return function + " " + TableName::parse(*argument).sql();
  }
  return "select " + TableName::parse(function).sql() + "(" + (argument ? quote_literal(*argument) : "") + ")";
}

Api::Api(pg::Connection& c) : c_(c) {
  auto [ticker, skytools, gather] =
      Transaction(c_, Mode::autocommit)
          .one<bool, bool, bool>(
              "select pg_catalog.to_regprocedure('pgq.ticker(text)') is not null"
              "   and pg_catalog.to_regprocedure('pgq.maint_operations()') is not null,"
              "       pg_catalog.to_regprocedure('skytools.tick(text, interval)') is not null,"
              "       pg_catalog.to_regprocedure('skytools.tick(text, interval, interval)') is not null");
  if (!ticker)
    throw SchemaMissing("[" + c_.label() + "] the schema pgq is missing or too old; run: skytools install pgq --db \"" +
                        c_.address() + "\"");
  has_skytools_ = skytools;
  can_gather_ = gather;
}

bool Api::in_recovery() {
  return Transaction(c_, Mode::autocommit).value<bool>("select pg_catalog.pg_is_in_recovery()");
}

void Api::set_session(milliseconds lock_timeout) {
  Transaction tx(c_, Mode::autocommit);
  tx.exec("set lock_timeout = " + std::to_string(lock_timeout.count()));
  if (c_.server_version() >= 140000) tx.exec("set idle_session_timeout = 0");
}

bool Api::try_lock(Lock which) {
  return Transaction(c_, Mode::autocommit)
      .value<bool>("select pg_catalog.pg_try_advisory_lock($1, $2)", kLockClass, static_cast<int>(which));
}

void Api::unlock(Lock which) {
  Transaction(c_, Mode::autocommit)
      .exec("select pg_catalog.pg_advisory_unlock($1, $2)", kLockClass, static_cast<int>(which));
}

std::vector<QueueFacts> Api::check() {
  Transaction tx(c_, Mode::autocommit);
  if (!std::exchange(check_prepared_, true)) tx.exec(kPrepareCheck);
  pg::Result r = tx.exec("execute skytools_check");
  std::vector<QueueFacts> queues(static_cast<std::size_t>(r.rows()));
  auto number = [&r](int row, int col) { return r.get<std::int64_t>(row, col); };
  auto duration = [&r](int row, int col) { return milliseconds(r.get<std::int64_t>(row, col).value_or(0)); };
  for (int i = 0; i < r.rows(); ++i) {
    QueueFacts& q = queues[static_cast<std::size_t>(i)];
    q.name = r.text(i, 0);
    q.tick = number(i, 1);
    q.tick_event_seq = number(i, 2).value_or(0);
    q.seq = number(i, 3);
    q.max_count = number(i, 4).value_or(0);
    q.max_lag = duration(i, 5);
    q.idle_period = duration(i, 6);
    q.age = duration(i, 7);
    if (!r.null(i, 8)) q.gap = duration(i, 8);
    q.event_table = r.text(i, 9);
    q.event_seq = r.text(i, 10);
    q.snapshot_xmax = number(i, 11).value_or(0);
    q.snapshot_xip = r.text(i, 12);
    q.older_ended = r.get<bool>(i, 13).value_or(false);
    q.event_seq_oid = r.get<std::string>(i, 14).value_or("");
  }
  return queues;
}

std::string Api::glance(const std::vector<QueueFacts>& queues) {
  Transaction tx(c_, Mode::autocommit);
  if (!std::exchange(glance_prepared_, true)) tx.exec(kPrepareGlance);
  std::vector<std::string> oids;
  for (auto& q : queues)
    if (!q.event_seq_oid.empty()) oids.push_back(q.event_seq_oid);
  std::string sequences = "{" + join(oids, ",") + "}";
  if (std::exchange(glanced_.sequences, sequences) != sequences) glanced_.snapshot.clear();
  auto [snapshot, facts] = tx.one<std::string, std::optional<std::string>>("execute skytools_glance ('" + sequences +
                                                                           "', '" + glanced_.snapshot + "')");
  glanced_.snapshot = snapshot;
  if (facts) glanced_.facts = *facts;
  return glanced_.facts;
}

std::map<std::string, Audience> Api::audiences() {
  pg::Result r = Transaction(c_, Mode::autocommit).exec(kAudiences);
  std::map<std::string, Audience> out;
  for (int i = 0; i < r.rows(); ++i)
    out[std::string(r.text(i, 0))] = {.following = r.get<bool>(i, 1).value_or(false),
                                      .absent = r.get<bool>(i, 2).value_or(false),
                                      .behind_most = r.get<std::int64_t>(i, 3).value_or(0)};
  return out;
}

bool Api::has_late_events(const QueueFacts& q) {
  // Two probes of the index on ev_txid; the rows are visible here, so their transactions have committed.
  return Transaction(c_, Mode::autocommit)
      .value<bool>("select exists (select 1 from " + q.event_table +
                       " where ev_txid >= $1)"
                       "    or exists (select 1 from " +
                       q.event_table + " where ev_txid = any($2::bigint[]))",
                   q.snapshot_xmax, q.snapshot_xip);
}

void Api::spend_event_id(const QueueFacts& q) {
  Transaction(c_, Mode::autocommit).exec("select pg_catalog.nextval($1::text::regclass)", q.event_seq);
}

std::string Api::tick_sql(const std::string& queue, milliseconds lag) const {
  return has_skytools_ ? "select skytools.tick(" + quote_literal(queue) + ", " + interval(lag) + ")"
                       : "select pgq.ticker(" + quote_literal(queue) + ")";
}

std::optional<std::int64_t> Api::tick(const std::string& queue, milliseconds lag) {
  Transaction tx(c_, Mode::autocommit);
  auto id = tx.value<std::optional<std::int64_t>>(tick_sql(queue, lag));
  if (id && !has_skytools_)  // skytools.tick does this itself
    tx.exec("select pg_catalog.pg_notify('pgq_tick_' || queue_id, $2) from pgq.queue where queue_name = $1", queue,
            *id);
  return id;
}

std::int64_t Api::tick_together(std::span<const IdleTick> ticks) {
  std::vector<std::string> rows;
  for (auto& t : ticks)
    rows.push_back("(" + quote_literal(t.queue) + ", " + interval(t.lag) + ", " + interval(t.age) + ")");
  return Transaction(c_, Mode::autocommit)
      .value<std::int64_t>("select count(skytools.tick(queue, lag, age)) from (values " + join(rows, ", ") +
                           ") t (queue, lag, age)");
}

std::vector<Operation> Api::maint_operations() {
  // The original's list knows nothing of the schema skytools, and what it keeps outlives queues and consumers there.
  pg::Result r = Transaction(c_, Mode::autocommit)
                     .exec(
                         "select func_name, func_arg from pgq.maint_operations() union all "
                         "select 'skytools.forget_gone', null "
                         " where pg_catalog.to_regprocedure('skytools.forget_gone()') is not null");
  std::vector<Operation> operations;
  for (int i = 0; i < r.rows(); ++i) operations.push_back({std::string(r.text(i, 0)), r.get<std::string>(i, 1)});
  return operations;
}

bool Api::run(const Operation& operation) {
  pg::Result r = Transaction(c_, Mode::autocommit).exec(operation.sql());
  if (r.rows() == 0 || r.columns() == 0 || r.null(0, 0)) return false;
  std::int64_t again = 0;  // a result that is no integer means: done
  std::string_view text = r.text(0, 0);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), again);
  return error == std::errc{} && end == text.data() + text.size() && again != 0;
}

std::int64_t Api::retry_events() { return Transaction(c_, Mode::autocommit).value<std::int64_t>(kRetrySql); }

}  // namespace skytools::ticker
