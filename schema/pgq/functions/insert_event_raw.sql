-- pgq.insert_event_raw(queue, id, time, owner, retry, type, data, extra1 .. extra4) → bigint, the event id
-- NULL id takes the next one, NULL time is now(). The event sequence is advanced even if an id is given: its movement is how
-- the ticker notices events.
--
-- The transaction id is assigned before the queue row is read. Thus a producer with an id above queue_switch_step2 has
-- read the row after the switch, and batches may trust that rule; only an old snapshot (REPEATABLE READ and above) can still
-- show the row of before, which refuse_stale_snapshot catches.
-- Whether the queue is closed is asked once more after the insert, which holds the table's lock: a root's last tick is made under
-- a lock that waits for all who have theirs, and who comes to it later finds the mark (skytools.note_closing).
-- Errors: Queue name must not be NULL · No such queue · Insert into queue disallowed (queue_disable_insert, unless
--   session_replication_role = replica) · Queue '<name>' allows max <n> events from one TX · 40001 queue was rotated.

create or replace function pgq.insert_event_raw(
    queue_name text, ev_id bigint, ev_time timestamptz, ev_owner integer, ev_retry integer,
    ev_type text, ev_data text, ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text)
returns bigint language plpgsql as $$
declare
    v_txid  bigint;
    v_next  bigint;
    v_id    bigint;
    v_table text;
    q       record;
begin
    if queue_name is null then
        raise exception 'Queue name must not be NULL';
    end if;

    v_txid := pg_catalog.txid_current();
    select t.queue_id, t.queue_disable_insert, t.queue_per_tx_limit, t.queue_switch_step1, t.queue_data_pfx,
           t.queue_cur_table, t.queue_event_seq
      into q
      from pgq.queue t where t.queue_name = insert_event_raw.queue_name;
    if not found then
        raise exception 'No such queue';
    end if;
    if q.queue_disable_insert and pg_catalog.current_setting('session_replication_role') <> 'replica' then
        raise exception 'Insert into queue disallowed';
    end if;
    if pg_catalog.current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        perform skytools.refuse_stale_snapshot(queue_name, q.queue_id, q.queue_switch_step1);
    end if;
    if q.queue_per_tx_limit is not null then
        perform skytools.charge_tx_limit(queue_name, q.queue_id, q.queue_per_tx_limit, 1);
    end if;

    v_table := q.queue_data_pfx || '_' || q.queue_cur_table;
    if q.queue_data_pfx <> 'pgq.event_' || q.queue_id then    -- the names that create_queue gives need no quotes
        v_table := pgq.quote_fqname(v_table);
        q.queue_event_seq := pgq.quote_fqname(q.queue_event_seq);
    end if;
    v_next := pg_catalog.nextval(q.queue_event_seq::regclass);
    v_id := coalesce(ev_id, v_next);
    -- Columns in the order of pgq.event_template. Most of an insert's cost is parsing it: no names, no trailing NULLs.
    execute 'insert into ' || v_table
         || case when coalesce(ev_extra1, ev_extra2, ev_extra3, ev_extra4) is null
                 then ' values ($1, $2, $3, $4, $5, $6, $7)'
                 else ' values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)' end
      using v_id, coalesce(ev_time, pg_catalog.now()), v_txid, ev_owner, ev_retry,
            ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4;
    if pg_catalog.pg_sequence_last_value(pg_catalog.to_regclass('skytools.rotation_' || q.queue_id)) >= 1::bigint << 62 then
        perform skytools.refuse_closed(q.queue_id, 'Insert into queue disallowed');
    end if;

    -- skytools.wake_ticker() written out, to spare a function call per event
    if not pg_catalog.pg_try_advisory_xact_lock_shared(1397446516, 3) then
        perform pg_catalog.pg_notify('skytools_wake', '');
    end if;
    return v_id;
end;
$$;

comment on function pgq.insert_event_raw(text, bigint, timestamptz, integer, integer, text, text, text, text, text, text) is
    'inserts an event with explicit id, time, owner and retry count; NULL id and time are filled in';
