-- pgq.get_batch_info(batch) → one row about an open batch; all NULL for an unknown one
-- batch_start and batch_end are tick times, lag is the age of batch_end, seq_start and seq_end the ticks' event sequence
-- values (hints). Errors: none.

create or replace function pgq.get_batch_info(
    x_batch_id bigint,
    out queue_name text, out consumer_name text, out batch_start timestamptz, out batch_end timestamptz,
    out prev_tick_id bigint, out tick_id bigint, out lag interval, out seq_start bigint, out seq_end bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    with s as materialized (     -- by the batch, not by a join: see pgq.next_batch_custom
        select * from pgq.subscription where sub_batch = x_batch_id
    )
    select q.queue_name, c.co_name, last.tick_time, cur.tick_time, s.sub_last_tick, s.sub_next_tick,
           now() - cur.tick_time, last.tick_event_seq, cur.tick_event_seq
      into queue_name, consumer_name, batch_start, batch_end, prev_tick_id, tick_id, lag, seq_start, seq_end
      from s
      join pgq.queue q on q.queue_id = s.sub_queue
      join pgq.consumer c on c.co_id = s.sub_consumer
      left join lateral (select * from pgq.tick t where t.tick_queue = s.sub_queue and t.tick_id = s.sub_last_tick offset 0) last on true
      left join lateral (select * from pgq.tick t where t.tick_queue = s.sub_queue and t.tick_id = s.sub_next_tick offset 0) cur on true;
end;
$$;

comment on function pgq.get_batch_info(bigint) is 'queue, consumer, ticks and lag of an open batch';
