-- pgq.unregister_consumer(queue, consumer) → integer, how many subscriptions were removed; 0 if there was none
-- A member of a cooperative group goes alone, and leaves an open batch to the others; its main consumer takes the whole
-- group with it. The consumer's waiting retry events go too, and so do names that no queue knows any more.
-- Errors: none.

create or replace function pgq.unregister_consumer(x_queue_name text, x_consumer_name text)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s           record;
    v_removed   integer;
    v_consumers integer[];
begin
    -- consumer first, then its subscription, as registration does. Not for update: the foreign key of a row that its owner
    -- changes twice in one transaction asks for the consumer's key.
    perform from pgq.consumer where co_name = x_consumer_name for no key update;
    select sub.sub_id, sub.sub_queue, sub.sub_consumer into s
      from pgq.subscription sub
      join pgq.queue q on q.queue_id = sub.sub_queue
      join pgq.consumer c on c.co_id = sub.sub_consumer
     where q.queue_name = x_queue_name and c.co_name = x_consumer_name
       for update of sub;
    if not found then
        return 0;
    end if;

    if skytools.coop_member(s.sub_queue, s.sub_consumer) then
        return skytools.coop_leave(s.sub_queue, s.sub_consumer);
    end if;

    perform from pgq.consumer c
       join pgq.subscription sub on sub.sub_consumer = c.co_id
      where sub.sub_id = s.sub_id
      order by c.co_id
        for no key update of c;
    delete from pgq.retry_queue where ev_owner = s.sub_id;
    with removed as (
        delete from pgq.subscription where sub_id = s.sub_id returning sub_consumer
    )
    select count(*), array_agg(sub_consumer) into v_removed, v_consumers from removed;

    delete from pgq.consumer c
     where c.co_id = any (v_consumers)
       and not exists (select from pgq.subscription sub where sub.sub_consumer = c.co_id);
    perform skytools.forget_gone();
    return v_removed;
end;
$$;

comment on function pgq.unregister_consumer(text, text) is
    'removes a consumer from a queue with its retry events, returns how many subscriptions went';
