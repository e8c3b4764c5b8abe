-- skytools.tick(queue, longest lag or NULL, longest idle period or NULL) → bigint, the new tick id; NULL when none is due
-- pgq.ticker(queue) is this with NULLs. A caller that wants events sooner than the queue's own ticker_max_lag passes a
-- shorter lag; it hastens waiting events only. One that ticks many idle queues at a time passes a shorter idle period, so
-- that this one comes along before its time.
--
-- When a tick is due (lag = age of the newest tick, new = events since it, by the event sequence):
--   no tick at all                       yes
--   new > 0                              new >= ticker_max_count or lag >= the shorter max lag
--   new = 0, only one tick               yes
--   new = 0, gap between the last two    lag >= ticker_max_lag / 2 and (lag >= 2 * gap or lag >= the shorter idle period)
--
-- Snapshots of successive ticks must only grow, or batches would lose or repeat events. Hence one tick at a time per queue
-- (advisory transaction lock 1397446517, queue_id; whoever does not get it has nothing to do), the snapshot is taken
-- after the lock, and an older snapshot of a REPEATABLE READ transaction makes no tick.
-- Without a due tick there is no transaction id and no WAL: the current txid is judged by the snapshot's xmax.
-- A new tick is announced by NOTIFY pgq_tick_<queue_id> with the tick id.
-- Errors: no such queue · This queue has external tick source. · Ticker has been paused for this queue ·
--   Invalid PgQ state (the newest tick is from a future that this server has not reached: restored elsewhere).

create or replace function skytools.tick(i_queue text, i_max_lag interval, i_idle_period interval)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q            record;
    v_last       record;       -- newest tick
    v_prev_time  timestamptz;  -- time of the one before
    v_event_seq  bigint;
    v_xmax       bigint;       -- no transaction of this server has a higher id yet
    v_lag        interval;
    v_new        bigint;
    v_tick_id    bigint;
begin
    select queue_id, queue_external_ticker, queue_ticker_paused, queue_ticker_max_count, queue_ticker_max_lag,
           queue_ticker_idle_period, queue_event_seq, queue_tick_seq
      into q from pgq.queue where queue_name = i_queue;
    if not found then
        raise exception 'no such queue';
    elsif q.queue_external_ticker then
        raise exception 'This queue has external tick source.';
    elsif q.queue_ticker_paused then
        raise exception 'Ticker has been paused for this queue';
    end if;

    if not pg_try_advisory_xact_lock(1397446517, q.queue_id) then
        return null;
    end if;

    -- Before the snapshot: the value may be lower than what the tick shows, never higher. 0 before the first event.
    v_event_seq := coalesce(pg_sequence_last_value(pgq.quote_fqname(q.queue_event_seq)::regclass), 0);

    select tick_id, tick_time, tick_event_seq, txid_snapshot_xmin(tick_snapshot) as xmin,
           txid_snapshot_xmax(tick_snapshot) as xmax
      into v_last from pgq.tick where tick_queue = q.queue_id
     order by tick_queue desc, tick_id desc limit 1;

    if found then
        -- The original's ticks say 1 where no event was ever inserted.
        if v_event_seq = 0 and v_last.tick_event_seq = 1 then
            v_event_seq := 1;
        end if;
        v_xmax := txid_snapshot_xmax(txid_current_snapshot());
        v_lag := now() - v_last.tick_time;
        v_new := v_event_seq - v_last.tick_event_seq;

        if v_last.xmin > v_xmax then
            raise exception 'Invalid PgQ state: old xmin=%, old xmax=%, cur txid=%', v_last.xmin, v_last.xmax, v_xmax;
        end if;
        if v_new < 0 then
            raise warning 'Negative new_events?  old=% cur=%', v_last.tick_event_seq, v_event_seq;
        end if;
        if v_last.xmax > v_xmax then
            raise warning 'Dubious PgQ state: old xmax=%, cur txid=%', v_last.xmax, v_xmax;
        end if;

        if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
            raise warning 'queue "%" not ticked: a tick needs READ COMMITTED', i_queue;
            return null;
        end if;

        if v_new > 0 then
            if v_new < q.queue_ticker_max_count and v_lag < least(q.queue_ticker_max_lag, i_max_lag) then
                return null;
            end if;
        else
            select tick_time into v_prev_time from pgq.tick
             where tick_queue = q.queue_id and tick_id < v_last.tick_id
             order by tick_queue desc, tick_id desc limit 1;
            if found and (v_lag < q.queue_ticker_max_lag / 2
                          or (v_lag < 2 * (v_last.tick_time - v_prev_time)
                              and v_lag < least(q.queue_ticker_idle_period, i_idle_period))) then
                return null;
            end if;
        end if;
    end if;

    -- A time after the snapshot: what is committed after a tick's time is never in the tick (skytools.seek relies on it).
    insert into pgq.tick (tick_queue, tick_id, tick_time, tick_event_seq)
    values (q.queue_id, nextval(pgq.quote_fqname(q.queue_tick_seq)::regclass), clock_timestamp(), v_event_seq)
    returning tick_id into v_tick_id;
    perform pg_notify('pgq_tick_' || q.queue_id, v_tick_id::text);
    return v_tick_id;
end;
$$;

comment on function skytools.tick(text, interval, interval) is
    'ticks the queue if a tick is due, with a shorter max lag or idle period than the queue''s own if given; returns the tick id or NULL';

-- skytools.tick(queue, longest lag or NULL) → the same with the queue's own idle period

create or replace function skytools.tick(i_queue text, i_max_lag interval)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return skytools.tick(i_queue, i_max_lag, null);
end;
$$;

comment on function skytools.tick(text, interval) is
    'ticks the queue if a tick is due, with a shorter max lag than the queue''s own if given; returns the tick id or NULL';
