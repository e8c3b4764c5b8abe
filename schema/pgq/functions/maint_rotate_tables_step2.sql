-- pgq.maint_rotate_tables_step2() → integer, always 0
-- Ends the rotations whose step 1 is committed: notes a transaction id T2 that is newer than every producer which may still
-- write to the old table. Until then batches look into both tables and no further rotation happens.
--
-- Producers write to the old table because they read the queue row before the switch. They own their id before they read
-- (insert_event_raw), so in READ COMMITTED their id is older than any taken here. A producer with an old
-- REPEATABLE READ snapshot may come at any later time; it is refused once skytools.rotation_<N> holds the new switch_step1.
-- The one that passed the check just before got its id before that moment. So T2 must be assigned after the sequences were
-- raised; and since raising them already gives this transaction its id, T2 is the id of a subtransaction begun afterwards.
-- The row is written there to get it assigned, and the row's xmin tells it.
-- Errors: none of its own. In the transaction of step 1 itself nothing happens, it must be a later one.

create or replace function pgq.maint_rotate_tables_step2()
returns integer language plpgsql as $$
declare
    q         record;
    v_queues  integer[] := '{}';
    v_top     bigint;   -- this transaction's id, 64 bits
    v_sub     bigint;   -- the subtransaction's id: first its lower 32 bits, then all
begin
    for q in
        select queue_id, queue_switch_step1,
               pg_catalog.to_regclass('skytools.rotation_' || queue_id) as rotation_seq
          from pgq.queue
         where queue_switch_step2 is null
           and queue_switch_step1 is distinct from pg_catalog.txid_current_if_assigned()
         order by queue_id
           for no key update
    loop
        v_queues := v_queues || q.queue_id;
        if q.rotation_seq is not null then
            -- bit 62 is kept: the queue is closed (skytools.note_closing)
            perform pg_catalog.setval(q.rotation_seq, q.queue_switch_step1
                | (coalesce(pg_catalog.pg_sequence_last_value(q.rotation_seq), 0) & (1::bigint << 62)));
        end if;
    end loop;
    if v_queues = '{}' then
        return 0;
    end if;

    v_top := pg_catalog.txid_current();
    begin
        update pgq.queue set queue_switch_step2 = v_top where queue_id = any (v_queues);
        select q2.xmin::text::bigint into v_sub from pgq.queue q2 where q2.queue_id = v_queues[1];
        v_sub := v_sub + ((v_top >> 32) << 32);
        if v_sub < v_top then
            v_sub := v_sub + (1::bigint << 32);   -- the lower 32 bits ran over between the two ids
        end if;
        update pgq.queue set queue_switch_step2 = v_sub where queue_id = any (v_queues);
    exception when raise_exception then
        raise;   -- never happens: the clause is what makes this block a subtransaction
    end;
    return 0;
end;
$$;

comment on function pgq.maint_rotate_tables_step2() is
    'rotation, second step, in a later transaction: from now on batches need not look into the old table';
