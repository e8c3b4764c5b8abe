-- pgq.force_tick(queue) → bigint, the newest tick id now; NULL for an unknown queue
-- Moves the event sequence so far that the next ticker run ticks; nothing is ticked here. Call it, then wait until the
-- returned id grows. Costs 2 * ticker_max_count + 1001 event ids. On a paused queue or one with an external ticker it only
-- returns the newest tick id.
-- Errors: none.

create or replace function pgq.force_tick(i_queue_name text)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q         record;
    v_seq     regclass;
    v_tick_id bigint;
begin
    select queue_id, queue_event_seq, queue_ticker_max_count, queue_external_ticker, queue_ticker_paused
      into q from pgq.queue where queue_name = i_queue_name;
    if not found then
        return null;
    end if;
    if not q.queue_external_ticker and not q.queue_ticker_paused then
        v_seq := pgq.quote_fqname(q.queue_event_seq)::regclass;
        perform setval(v_seq, nextval(v_seq) + 2 * q.queue_ticker_max_count::bigint + 1000);
        perform skytools.wake_ticker();
    end if;
    select tick_id into v_tick_id from pgq.tick
     where tick_queue = q.queue_id
     order by tick_queue desc, tick_id desc limit 1;
    return v_tick_id;
end;
$$;

comment on function pgq.force_tick(text) is
    'makes the next ticker run tick the queue, returns the newest tick id; repeat until it grows';
