-- skytools.lock_open_batch(queue, consumer) → bigint, the consumer's open batch; NULL if none
-- Locks the subscription until the transaction ends, so that the answers to one batch come one after the other.
-- Errors: No such event queue · Not subscriber to queue: <queue>/<consumer>.

create or replace function skytools.lock_open_batch(i_queue_name text, i_consumer_name text)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_batch bigint;
begin
    loop
        select s.sub_batch into v_batch
          from pgq.subscription s
         where s.sub_queue = (select queue_id from pgq.queue where queue_name = i_queue_name)
           and s.sub_consumer = (select co_id from pgq.consumer where co_name = i_consumer_name)
           for no key update of s;
        exit when found;
        perform skytools.subscription_of(i_queue_name, i_consumer_name);
        -- registered, but under a new id since the look at the names (skytools.renew_consumer_id): again
    end loop;
    return v_batch;
end;
$$;

comment on function skytools.lock_open_batch(text, text) is 'locks a consumer''s subscription, returns its open batch or NULL';
