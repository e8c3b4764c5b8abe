-- pgq.find_tick_helper(queue id, previous tick: id, time, seq, min_count, min_interval) → the end tick of a batch, or NULLs
-- The newest tick is taken if it is far enough from the previous one by either limit. If it is more than twice as far,
-- the lowest tick that satisfies either limit is taken, so that a consumer far behind gets batches of the wanted size.
-- A limit that is NULL is not considered. Errors: none.

create or replace function pgq.find_tick_helper(
    i_queue_id integer, i_prev_tick_id bigint, i_prev_tick_time timestamptz, i_prev_tick_seq bigint,
    i_min_count bigint, i_min_interval interval,
    out next_tick_id bigint, out next_tick_time timestamptz, out next_tick_seq bigint)
language plpgsql stable as $$
declare
    v_count  bigint;     -- events (by sequence) and time up to the newest tick
    v_span   interval;
begin
    select tick_id, tick_time, tick_event_seq, tick_event_seq - i_prev_tick_seq, tick_time - i_prev_tick_time
      into next_tick_id, next_tick_time, next_tick_seq, v_count, v_span
      from pgq.tick
     where tick_queue = i_queue_id and tick_id > i_prev_tick_id
     order by tick_queue desc, tick_id desc limit 1;

    if v_count > 2 * i_min_count or v_span > 2 * i_min_interval then
        select tick_id, tick_time, tick_event_seq into next_tick_id, next_tick_time, next_tick_seq
          from pgq.tick
         where tick_queue = i_queue_id and tick_id > i_prev_tick_id
           and (tick_event_seq - i_prev_tick_seq >= i_min_count or tick_time - i_prev_tick_time >= i_min_interval)
         order by tick_queue, tick_id limit 1;
    elsif (v_count >= i_min_count or v_span >= i_min_interval) is not true then
        next_tick_id := null;
        next_tick_time := null;
        next_tick_seq := null;
    end if;
end;
$$;

comment on function pgq.find_tick_helper(integer, bigint, timestamptz, bigint, bigint, interval) is
    'finds the tick that makes a batch of at least min_count events or min_interval time';
