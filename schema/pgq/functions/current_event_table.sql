-- pgq.current_event_table(queue) → text, the unquoted name of the table that takes events now (pgq.event_<N>_<i>)
-- For bulk INSERT or COPY in the same transaction only: a later one may find the queue rotated. Columns to give: ev_time,
-- ev_type, ev_data, ev_extra1 .. ev_extra4 (and ev_id on a branch). Transaction id before queue row: see insert_event_raw. Who may
-- insert gets the lock of the insert here: while it is held, a root makes no last tick.
-- Errors: Event queue not found · Writing to queue disabled · 40001 queue was rotated.

create or replace function pgq.current_event_table(x_queue_name text)
returns text language plpgsql as $$
declare
    q record;
begin
    perform pg_catalog.txid_current();
    select queue_id, queue_disable_insert, queue_switch_step1, queue_data_pfx || '_' || queue_cur_table as event_table
      into q from pgq.queue where queue_name = x_queue_name;
    if not found then
        raise exception 'Event queue not found';
    end if;
    if q.queue_disable_insert and pg_catalog.current_setting('session_replication_role') <> 'replica' then
        raise exception 'Writing to queue disabled';
    end if;
    if pg_catalog.current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        perform skytools.refuse_stale_snapshot(x_queue_name, q.queue_id, q.queue_switch_step1);
    end if;
    if pg_catalog.has_table_privilege(pgq.quote_fqname(q.event_table), 'insert') then
        execute 'lock table ' || pgq.quote_fqname(q.event_table) || ' in row exclusive mode';
        perform skytools.refuse_closed(q.queue_id, 'Writing to queue disabled');
    end if;
    perform skytools.wake_ticker();
    return q.event_table;
end;
$$;

comment on function pgq.current_event_table(text) is
    'name of the table that takes the queue''s events now; valid in this transaction only';
