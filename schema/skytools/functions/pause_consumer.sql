-- skytools.pause_consumer(queue, consumer) → integer, 1 paused now, 0 was paused
-- From the commit on pgq.next_batch and its kin return NULL to the consumer, or to every member of its cooperative group;
-- also for a batch that is open. Who works on one may finish it. The queue keeps everything for the consumer meanwhile.
-- Errors: No such event queue · Not subscriber to queue: <queue>/<consumer> · consumer … is a member of a cooperative group … ·
--   0A000 where schema pgq belongs to an extension, whose next_batch does not look here.

create or replace function skytools.pause_consumer(i_queue_name text, i_consumer_name text)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s record;
begin
    if exists (select from skytools.module where name = 'pgq' and origin = 'extension') then
        raise exception 'schema pgq belongs to an extension, which cannot pause a consumer' using errcode = '0A000';
    end if;
    select * into s from skytools.subscription_of(i_queue_name, i_consumer_name);
    if skytools.coop_member(s.queue_id, s.consumer_id) then
        raise exception 'consumer "%" is a member of a cooperative group, pause its main consumer', i_consumer_name;
    end if;
    insert into skytools.paused_consumer (sub_id) values (s.sub_id) on conflict do nothing;
    return case when found then 1 else 0 end;
end;
$$;

comment on function skytools.pause_consumer(text, text) is 'lets a consumer get no batch until it is resumed; 0 if it was paused';
