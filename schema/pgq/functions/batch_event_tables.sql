-- pgq.batch_event_tables(batch) → setof text, the unquoted event tables that may hold events of the batch, older first
-- With L, C the snapshots at start and end of the batch, T1 and T2 the queue's switch_step1 and switch_step2:
--   xmax(C) < T1            only the previous table: C was taken before the switch was committed
--   T2 set, xmin(L) > T2    only the current table
--   else                    previous and current
--
-- The second rule is right because an event with an id above T2 never lands in the previous table: its producer got the id
-- after step 1 had been committed, and reads the queue row after that (insert_event_raw); with an older snapshot it
-- is refused, since step 2 raises skytools.rotation_<N> before it takes T2 (maint_rotate_tables_step2). Every event of the
-- batch has an id of xmin(L) or more. A rotation needs xmin(L) > T2 of all consumers, so no batch spans two of them.
-- Errors: Cannot find data for batch <n>.

create or replace function pgq.batch_event_tables(x_batch_id bigint)
returns setof text language plpgsql set enable_seqscan = off as $$
declare
    b          record;
    v_previous integer;
begin
    with s as materialized (     -- by the batch, not by a join: see pgq.next_batch_custom
        select * from pgq.subscription where sub_batch = x_batch_id
    )
    select q.queue_data_pfx, q.queue_cur_table, q.queue_ntables, q.queue_switch_step1, q.queue_switch_step2,
           txid_snapshot_xmin(last.tick_snapshot) as last_xmin, txid_snapshot_xmax(cur.tick_snapshot) as cur_xmax
      into b
      from s
      join pgq.queue q on q.queue_id = s.sub_queue
      join lateral (select * from pgq.tick where tick_queue = s.sub_queue and tick_id = s.sub_last_tick offset 0) last on true
      join lateral (select * from pgq.tick where tick_queue = s.sub_queue and tick_id = s.sub_next_tick offset 0) cur on true;
    if not found then
        raise exception 'Cannot find data for batch %', x_batch_id;
    end if;

    v_previous := (b.queue_cur_table + b.queue_ntables - 1) % b.queue_ntables;
    if b.cur_xmax < b.queue_switch_step1 then
        return next b.queue_data_pfx || '_' || v_previous;
    elsif b.last_xmin > b.queue_switch_step2 or v_previous = b.queue_cur_table then
        return next b.queue_data_pfx || '_' || b.queue_cur_table;
    else
        return next b.queue_data_pfx || '_' || v_previous;
        return next b.queue_data_pfx || '_' || b.queue_cur_table;
    end if;
end;
$$;

comment on function pgq.batch_event_tables(bigint) is 'names of the event tables that may hold events of the batch';
