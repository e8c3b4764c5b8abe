-- pgq.create_queue(queue) → integer, 1 created, 0 was there
-- Makes the queue row, its two sequences, the empty parent table pgq.event_<N>, its queue_ntables data tables, grants, the
-- rotation sequence of skytools and the first tick. Everything belongs to the function's owner. Several sessions may create
-- the same queue at once: one gets 1, the others wait for it and get 0.
-- Errors: Invalid NULL value.

create or replace function pgq.create_queue(i_queue_name text)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_id      integer;
    v_tables  integer;
    v_parent  text;      -- unquoted pgq.event_<N>; its names never need quotes
begin
    if i_queue_name is null then
        raise exception 'Invalid NULL value';
    end if;
    if exists (select from pgq.queue where queue_name = i_queue_name) then
        return 0;
    end if;

    v_id := nextval('pgq.queue_queue_id_seq');
    v_parent := 'pgq.event_' || v_id;
    insert into pgq.queue (queue_id, queue_name, queue_data_pfx, queue_event_seq, queue_tick_seq)
    values (v_id, i_queue_name, v_parent, v_parent || '_id_seq', v_parent || '_tick_seq')
    on conflict (queue_name) do nothing
    returning queue_ntables into v_tables;
    if not found then
        return 0;
    end if;

    execute format('create sequence %s_id_seq', v_parent);
    execute format('create sequence %s_tick_seq', v_parent);
    execute format('create table %s () inherits (pgq.event_template)', v_parent);
    for i in 0 .. v_tables - 1 loop
        execute format('create table %s_%s () inherits (%1$s)', v_parent, i);
        execute format('alter table %s_%s alter column ev_id set default nextval(%L)', v_parent, i, v_parent || '_id_seq');
        execute format('create index event_%s_%s_txid_idx on %s_%2$s (ev_txid)', v_id, i, v_parent);
    end loop;

    perform pgq.grant_perms(i_queue_name);
    perform skytools.adopt_queues();
    perform pgq.ticker(i_queue_name);
    -- Under wal_level = minimal the nextval() of the transaction that made the sequence leaves no WAL, and the server counts
    -- the next 32 values as logged: a crash would hand tick ids out again. setval() ends that count.
    perform setval((v_parent || '_tick_seq')::regclass, 1);
    perform pgq.tune_storage(i_queue_name);
    return 1;
end;
$$;

comment on function pgq.create_queue(text) is 'creates a queue with its tables and first tick; 1 created, 0 was there';
