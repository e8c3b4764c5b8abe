-- skytools.resume_consumer(queue, consumer) → integer, 1 resumed, 0 was not paused
-- A consumer that listens for ticks is woken.
-- Errors: No such event queue · Not subscriber to queue: <queue>/<consumer>.

create or replace function skytools.resume_consumer(i_queue_name text, i_consumer_name text)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s record;
begin
    select * into s from skytools.subscription_of(i_queue_name, i_consumer_name);
    delete from skytools.paused_consumer where sub_id = s.sub_id;
    if not found then
        return 0;
    end if;
    perform pg_notify('pgq_tick_' || s.queue_id,
                      (select max(tick_id)::text from pgq.tick where tick_queue = s.queue_id));
    return 1;
end;
$$;

comment on function skytools.resume_consumer(text, text) is 'ends the pause of a consumer; 0 if it was not paused';
