-- pgq.get_consumer_info([queue [, consumer]]) → setof one row per subscription, by queue and consumer; NULL = all
-- lag: age of the last finished tick (NULL for an idle member of a cooperative group) · last_seen: time since the consumer
-- asked for or finished a batch · pending_events: ticked but not finished, a distance in the event sequence.
-- Errors: none; unknown names give no rows.

create or replace function pgq.get_consumer_info(
    out queue_name text, out consumer_name text, out lag interval, out last_seen interval, out last_tick bigint,
    out current_batch bigint, out next_tick bigint, out pending_events bigint)
returns setof record language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query select * from pgq.get_consumer_info(null, null);
end;
$$;

comment on function pgq.get_consumer_info() is 'positions of all consumers on all queues';

create or replace function pgq.get_consumer_info(
    i_queue_name text,
    out queue_name text, out consumer_name text, out lag interval, out last_seen interval, out last_tick bigint,
    out current_batch bigint, out next_tick bigint, out pending_events bigint)
returns setof record language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query select * from pgq.get_consumer_info(i_queue_name, null);
end;
$$;

comment on function pgq.get_consumer_info(text) is 'positions of all consumers on a queue';

create or replace function pgq.get_consumer_info(
    i_queue_name text, i_consumer_name text,
    out queue_name text, out consumer_name text, out lag interval, out last_seen interval, out last_tick bigint,
    out current_batch bigint, out next_tick bigint, out pending_events bigint)
returns setof record language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query
        select q.queue_name, c.co_name, now() - t.tick_time, now() - s.sub_active, s.sub_last_tick,
               s.sub_batch, s.sub_next_tick, top.tick_event_seq - t.tick_event_seq
          from pgq.subscription s
          join pgq.queue q on q.queue_id = s.sub_queue
          join pgq.consumer c on c.co_id = s.sub_consumer
          left join pgq.tick t on t.tick_queue = s.sub_queue and t.tick_id = s.sub_last_tick
          left join lateral (
              select n.tick_event_seq from pgq.tick n
               where n.tick_queue = s.sub_queue order by n.tick_queue desc, n.tick_id desc limit 1) top on true
         where (i_queue_name is null or q.queue_name = i_queue_name)
           and (i_consumer_name is null or c.co_name = i_consumer_name)
         order by q.queue_name, c.co_name;
end;
$$;

comment on function pgq.get_consumer_info(text, text) is 'positions of consumers; NULL means all';
