-- pgq.finish_batch(batch) → integer, 1 finished; 0 with a WARNING for an unknown or already finished batch
-- The consumer moves to the batch's end tick. A member of a cooperative group has no position of its own: it becomes idle,
-- as after pgq_coop.finish_batch. Errors: none.

create or replace function pgq.finish_batch(x_batch_id bigint)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
begin
    update pgq.subscription s
       set sub_last_tick = case when skytools.coop_member(s.sub_queue, s.sub_consumer) then null else s.sub_next_tick end,
           sub_next_tick = null, sub_batch = null, sub_active = now()
     where s.sub_batch = x_batch_id;
    if not found then
        raise warning 'finish_batch: batch % not found', x_batch_id;
        return 0;
    end if;
    return 1;
end;
$$;

comment on function pgq.finish_batch(bigint) is 'closes a batch, the consumer moves on; 0 if there is no such batch';
