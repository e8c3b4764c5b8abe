-- skytools.forget_gone() → integer, always 0
-- Deletes what skytools kept about queues, consumers and batches that are no more. Our pgq calls it where they end; for an
-- extension's pgq, and for batches that were abandoned, the ticker's maintenance does. Until then nothing shows such rows:
-- their ids are never used again.
-- Errors: none.

create or replace function skytools.forget_gone()
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from skytools.queue_policy p
     where not exists (select from pgq.queue q where q.queue_id = p.queue_id);
    delete from skytools.dead_letter d
     where not exists (select from pgq.subscription s where s.sub_id = d.sub_id);
    delete from skytools.paused_consumer p
     where not exists (select from pgq.subscription s where s.sub_id = p.sub_id);
    delete from skytools.unanswered u
     where not exists (select from pgq.subscription s where s.sub_batch = u.batch_id);
    return 0;
end;
$$;

comment on function skytools.forget_gone() is 'deletes what skytools kept about queues, consumers and batches that are gone';
