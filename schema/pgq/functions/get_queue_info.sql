-- pgq.get_queue_info([queue]) → setof one row per queue, by name; NULL = all, unknown = none
-- ticker_lag: age of the newest tick · ev_per_sec: events per second over the last 20 ticks, NULL if they took no time ·
-- ev_new: events since the newest tick. The latter two are distances in the event sequence, which rollbacks and force_tick
-- widen. New columns may only be added at the end: monitoring depends on names and order.
-- Errors: none.

create or replace function pgq.get_queue_info(
    out queue_name text, out queue_ntables integer, out queue_cur_table integer, out queue_rotation_period interval,
    out queue_switch_time timestamptz, out queue_external_ticker boolean, out queue_ticker_paused boolean,
    out queue_ticker_max_count integer, out queue_ticker_max_lag interval, out queue_ticker_idle_period interval,
    out ticker_lag interval, out ev_per_sec double precision, out ev_new bigint, out last_tick_id bigint)
returns setof record language plpgsql as $$
begin
    return query select * from pgq.get_queue_info(null);
end;
$$;

comment on function pgq.get_queue_info() is 'settings and state of all queues';

create or replace function pgq.get_queue_info(
    i_queue_name text,
    out queue_name text, out queue_ntables integer, out queue_cur_table integer, out queue_rotation_period interval,
    out queue_switch_time timestamptz, out queue_external_ticker boolean, out queue_ticker_paused boolean,
    out queue_ticker_max_count integer, out queue_ticker_max_lag interval, out queue_ticker_idle_period interval,
    out ticker_lag interval, out ev_per_sec double precision, out ev_new bigint, out last_tick_id bigint)
returns setof record language plpgsql as $$
begin
    return query
        select q.queue_name, q.queue_ntables, q.queue_cur_table, q.queue_rotation_period, q.queue_switch_time,
               q.queue_external_ticker, q.queue_ticker_paused, q.queue_ticker_max_count, q.queue_ticker_max_lag,
               q.queue_ticker_idle_period,
               pg_catalog.now() - top.tick_time,
               (top.tick_event_seq - base.tick_event_seq)
                   / nullif(extract(epoch from top.tick_time - base.tick_time)::double precision, 0),
               -- a sequence that was never called is at 0; ticks of the original say 1 then
               coalesce(pg_catalog.pg_sequence_last_value(pgq.quote_fqname(q.queue_event_seq)::regclass),
                        least(top.tick_event_seq, 1)) - top.tick_event_seq,
               top.tick_id
          from pgq.queue q
          left join lateral (
              select t.tick_id, t.tick_time, t.tick_event_seq from pgq.tick t
               where t.tick_queue = q.queue_id order by t.tick_queue desc, t.tick_id desc limit 1) top on true
          left join lateral (
              select t.tick_time, t.tick_event_seq from pgq.tick t
               where t.tick_queue = q.queue_id and t.tick_id >= top.tick_id - 20
               order by t.tick_queue, t.tick_id limit 1) base on true
         where i_queue_name is null or q.queue_name = i_queue_name
         order by q.queue_name;
end;
$$;

comment on function pgq.get_queue_info(text) is 'settings and state of a queue, or of all for NULL';
