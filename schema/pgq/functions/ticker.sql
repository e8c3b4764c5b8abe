-- pgq.ticker(queue) → bigint, the new tick id; NULL when no tick is due. Rules and errors: skytools.tick.

create or replace function pgq.ticker(i_queue_name text)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return skytools.tick(i_queue_name, null, null);
end;
$$;

comment on function pgq.ticker(text) is 'ticks a queue if a tick is due, returns the tick id or NULL';

-- pgq.ticker() → bigint, how many queues were ticked
-- A queue that fails is reported as WARNING and does not keep the others from their ticks.

create or replace function pgq.ticker()
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_queue  text;
    v_ticked bigint := 0;
begin
    for v_queue in
        select queue_name from pgq.queue
         where not queue_external_ticker and not queue_ticker_paused
         order by queue_name
    loop
        begin
            if pgq.ticker(v_queue) > 0 then
                v_ticked := v_ticked + 1;
            end if;
        exception when others then
            raise warning 'queue "%" not ticked: % (%)', v_queue, sqlerrm, sqlstate;
        end;
    end loop;
    return v_ticked;
end;
$$;

comment on function pgq.ticker() is 'ticks every queue with a due tick, returns how many; a failing queue is a warning';

-- pgq.ticker(queue, tick id, time, event seq) → bigint, the tick id
-- The tick of another node, mirrored here after its events were committed. Ids must grow; an event_seq below the previous
-- tick's (a branch worker that has seen no event yet sends 0) is stored as the previous one. Both sequences are raised, so
-- that a node that becomes root goes on from there.
-- Errors: queue not found or ticker disabled: <queue> · tick id below the newest tick · 23505 tick exists · 23502 NULL.

create or replace function pgq.ticker(
    i_queue_name text, i_tick_id bigint, i_orig_timestamp timestamptz, i_event_seq bigint)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q           record;
    v_last      record;
    v_event_seq bigint := i_event_seq;
begin
    select queue_id, queue_tick_seq, queue_event_seq into q from pgq.queue
     where queue_name = i_queue_name and queue_external_ticker and not queue_ticker_paused;
    if not found then
        raise exception 'queue not found or ticker disabled: %', i_queue_name;
    end if;

    -- one tick at a time, so that a later tick has a later snapshot
    perform pg_advisory_xact_lock(1397446517, q.queue_id);
    select tick_id, tick_event_seq into v_last from pgq.tick
     where tick_queue = q.queue_id
     order by tick_queue desc, tick_id desc limit 1;
    if found then
        if i_tick_id < v_last.tick_id then
            raise exception 'queue "%": tick % is below the newest tick %', i_queue_name, i_tick_id, v_last.tick_id;
        elsif i_event_seq < v_last.tick_event_seq then
            v_event_seq := v_last.tick_event_seq;
        end if;
    end if;

    insert into pgq.tick (tick_queue, tick_id, tick_time, tick_event_seq)
    values (q.queue_id, i_tick_id, i_orig_timestamp, v_event_seq);
    perform pgq.seq_setval(q.queue_tick_seq, i_tick_id);
    perform pgq.seq_setval(q.queue_event_seq, v_event_seq);
    perform pg_notify('pgq_tick_' || q.queue_id, i_tick_id::text);
    return i_tick_id;
end;
$$;

comment on function pgq.ticker(text, bigint, timestamptz, bigint) is
    'inserts a tick that another node made (external ticker), returns its id';
