-- skytools.adopt_queues() → integer, the number of queues that had no rotation sequence
-- Creates the missing skytools.rotation_<queue_id> sequences. pgq.create_queue makes them for new queues; this is for
-- queues that were there before skytools was. Each starts at the queue's switch_step1 if no rotation is half done, so
-- that producers with an older view are refused from now on.
-- Afterwards pgq.maint_rotate_tables_step2 of skytools raises it. Where the extension owns that function the value stays
-- at the rotation of the adoption, and later rotations go unnoticed as they always did there.
-- Errors: 42501 when the caller may not create objects in schema skytools.

create or replace function skytools.adopt_queues()
returns integer language plpgsql as $$
declare
    q         record;
    v_adopted integer := 0;
begin
    for q in
        select queue_id, queue_switch_step1, queue_switch_step2 from pgq.queue
         where pg_catalog.to_regclass('skytools.rotation_' || queue_id) is null
         order by queue_id
    loop
        execute format('create sequence skytools.%I', 'rotation_' || q.queue_id);
        execute format('grant select on sequence skytools.%I to public', 'rotation_' || q.queue_id);
        execute format('grant update on sequence skytools.%I to pgq_admin', 'rotation_' || q.queue_id);
        if q.queue_switch_step2 is not null then
            perform pg_catalog.setval(format('skytools.%I', 'rotation_' || q.queue_id)::regclass, q.queue_switch_step1);
        end if;
        v_adopted := v_adopted + 1;
    end loop;
    return v_adopted;
end;
$$;

comment on function skytools.adopt_queues() is
    'creates the missing skytools.rotation_<queue_id> sequences, returns how many';
