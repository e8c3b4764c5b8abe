#include "core/pgq/rates.h"

#include <algorithm>

namespace skytools::pgq {

namespace {

using std::chrono::milliseconds;

/// Two rows per queue, for the minute and the hour. The sequence's value at the start of the period is interpolated
/// between the ticks around it; where the ticks begin later, the oldest one is the start. The present counts as a tick.
constexpr const char* kSql = R"sql(
with state as (
    select i.queue_name, q.queue_id, i.last_tick_id, i.ticker_lag, coalesce(i.ev_new, 0) as ev_new,
           coalesce(t.tick_event_seq + i.ev_new, 0) as seq
      from pgq.get_queue_info($1) i
      join pgq.queue q on q.queue_name = i.queue_name
      left join pgq.tick t on t.tick_queue = q.queue_id and t.tick_id = i.last_tick_id)
select s.queue_name, to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS.MSTZH:TZM'), (extract(epoch from now()) * 1000)::bigint,
       s.seq, s.ev_new, s.last_tick_id, (extract(epoch from s.ticker_lag) * 1000)::bigint,
       case when b.tick_id is null then s.seq - a.tick_event_seq
            else s.seq - (b.tick_event_seq + (coalesce(a.tick_event_seq, s.seq) - b.tick_event_seq)
                          * extract(epoch from now() - p.period - b.tick_time)
                          / nullif(extract(epoch from coalesce(a.tick_time, now()) - b.tick_time), 0)) end::bigint,
       (extract(epoch from case when b.tick_id is null then now() - a.tick_time else p.period end) * 1000)::bigint
  from state s
  cross join (values (interval '1 minute'), (interval '1 hour')) p (period)
  left join lateral (
       select tick_id, tick_time, tick_event_seq from pgq.tick
        where tick_queue = s.queue_id and tick_time <= now() - p.period
        order by tick_queue desc, tick_id desc limit 1) b on true
  left join lateral (
       select tick_time, tick_event_seq from pgq.tick
        where tick_queue = s.queue_id and tick_id > coalesce(b.tick_id, -1)
        order by tick_queue, tick_id limit 1) a on true
 order by s.queue_name, p.period)sql";

Inflow inflow(const pg::Result& r, int row) {
  return {std::max<std::int64_t>(0, r.get<std::int64_t>(row, 7).value_or(0)),
          milliseconds(r.get<std::int64_t>(row, 8).value_or(0))};
}

}  // namespace

std::optional<double> Inflow::per_second() const {
  if (span.count() <= 0) return std::nullopt;
  return static_cast<double>(events) * 1000 / static_cast<double>(span.count());
}

std::vector<Rates> rates(pg::Transaction& tx, const std::optional<std::string>& queue) {
  pg::Result r = tx.exec(kSql, queue);
  std::vector<Rates> out;
  for (int i = 0; i + 1 < r.rows(); i += 2) {
    auto lag = r.get<std::int64_t>(i, 6);
    out.push_back({.queue = std::string(r.text(i, 0)),
                   .time = std::string(r.text(i, 1)),
                   .server_time = milliseconds(r.get<std::int64_t>(i, 2).value_or(0)),
                   .sequence = r.get<std::int64_t>(i, 3).value_or(0),
                   .new_events = r.get<std::int64_t>(i, 4).value_or(0),
                   .last_tick = r.get<std::int64_t>(i, 5),
                   .ticker_lag = lag ? std::optional(milliseconds(*lag)) : std::nullopt,
                   .minute = inflow(r, i),
                   .hour = inflow(r, i + 1)});
  }
  return out;
}

Inflow between(const Rates& earlier, const Rates& later) {
  return {std::max<std::int64_t>(0, later.sequence - earlier.sequence), later.server_time - earlier.server_time};
}

}  // namespace skytools::pgq
