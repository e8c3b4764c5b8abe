-- pgq.maint_rotate_tables_step1(queue) → integer, always 0
-- Empties the next event table and directs producers to it, if the rotation period is over, the last rotation's step 2 ran
-- and no consumer needs the old events any more. Producers are not hindered: they never lock the queue row, and the table that
-- is emptied has not been theirs for at least a period. The row lock does not collide with the key locks of new
-- ticks, subscriptions and retry events; it waits for consumers that are just being placed at an old tick.
-- If the table is in use, say by a backup, nothing happens and the next call tries again.
-- Ticks that no position may need go with the old events; the newest one stays, new consumers start there.
-- Errors: queue <q> maint failure: … (transaction ids went backwards, or a consumer's tick is missing).

create or replace function pgq.maint_rotate_tables_step1(i_queue_name text)
returns integer language plpgsql as $$
declare
    q             record;
    v_tick_id     bigint;    -- position of the slowest consumer
    v_tick_xmin   bigint;
    v_next        integer;
    v_next_table  text;
begin
    select queue_id, queue_ntables, queue_cur_table, queue_switch_step1, queue_switch_step2, queue_data_pfx into q
      from pgq.queue
     where queue_name = i_queue_name
       and queue_rotation_period is not null
       and queue_switch_step2 is not null
       and queue_switch_time + queue_rotation_period < current_timestamp
       for no key update;
    if not found then
        return 0;
    end if;
    if pg_catalog.txid_current() < q.queue_switch_step1 then
        raise exception 'queue % maint failure: step1=%, current=%',
            i_queue_name, q.queue_switch_step1, pg_catalog.txid_current();
    end if;

    select min(sub_last_tick) into v_tick_id from pgq.subscription where sub_queue = q.queue_id;
    if v_tick_id is not null then
        select pg_catalog.txid_snapshot_xmin(tick_snapshot) into v_tick_xmin
          from pgq.tick where tick_queue = q.queue_id and tick_id = v_tick_id;
        if not found then
            raise exception 'queue % maint failure: tick % not found', i_queue_name, v_tick_id;
        end if;
        if v_tick_xmin <= q.queue_switch_step2 then
            return 0;
        end if;
    end if;

    v_next := (q.queue_cur_table + 1) % q.queue_ntables;
    v_next_table := pgq.quote_fqname(q.queue_data_pfx || '_' || v_next);
    begin
        execute 'lock table ' || v_next_table || ' in access exclusive mode nowait';
        execute 'truncate ' || v_next_table;
    exception when lock_not_available then
        return 0;
    end;

    update pgq.queue
       set queue_cur_table = v_next, queue_switch_time = current_timestamp,
           queue_switch_step1 = pg_catalog.txid_current(), queue_switch_step2 = null
     where queue_id = q.queue_id;

    delete from pgq.tick t
     where t.tick_queue = q.queue_id
       and pg_catalog.txid_snapshot_xmin(t.tick_snapshot) < q.queue_switch_step2
       and t.tick_id < (select max(newest.tick_id) from pgq.tick newest where newest.tick_queue = q.queue_id);
    return 0;
end;
$$;

comment on function pgq.maint_rotate_tables_step1(text) is
    'rotation, first step: empties the next event table and switches to it if the queue is due and no consumer is behind';
