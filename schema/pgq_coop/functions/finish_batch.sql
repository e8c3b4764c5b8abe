-- pgq_coop.finish_batch(batch) → integer, 1 finished; 0 with a WARNING for an unknown or already finished batch
-- The member becomes idle; the group's position had moved when the batch was given out. 0 also tells a worker that its
-- batch was taken over meanwhile: what it did in this transaction should be rolled back.
-- A batch of an ordinary consumer is finished as by pgq.finish_batch. Errors: none.

create or replace function pgq_coop.finish_batch(i_batch_id bigint)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update pgq.subscription s
       set sub_last_tick = case when skytools.coop_member(s.sub_queue, s.sub_consumer) then null else s.sub_next_tick end,
           sub_next_tick = null, sub_batch = null, sub_active = now()
     where s.sub_batch = i_batch_id;
    if not found then
        raise warning 'coop_finish_batch: batch % not found', i_batch_id;
        return 0;
    end if;
    return 1;
end;
$$;

comment on function pgq_coop.finish_batch(bigint) is
    'closes a batch of a group; 0 if there is no such batch, because it is finished or was taken over';
