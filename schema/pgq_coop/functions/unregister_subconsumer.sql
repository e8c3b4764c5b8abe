-- pgq_coop.unregister_subconsumer(queue, consumer, subconsumer, batch handling) → integer, 1 removed, 0 was not registered
-- Batch handling says what becomes of an open batch: 0 or NULL refuse; 1 and 2 leave it to the group, where the next member
-- that asks gets it under a new id. Until then the row stays, so that rotation keeps the events, but counts as gone.
-- No events are lost, whichever way: that 1 meant to drop the batch's events is history.
-- Errors: subconsumer has active batch · <M.S> is an ordinary consumer, or another group's.

create or replace function pgq_coop.unregister_subconsumer(
    i_queue_name text, i_consumer_name text, i_subconsumer_name text, i_batch_handling integer)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_member text := i_consumer_name || '.' || i_subconsumer_name;
    me       record;
begin
    -- consumer first, then its subscription, as registration does. Not for update: the foreign key of a row that its owner
    -- changes twice in one transaction asks for the consumer's key.
    perform from pgq.consumer where co_name = v_member for no key update;
    select s.* into me
      from pgq.subscription s
      join pgq.queue q on q.queue_id = s.sub_queue
      join pgq.consumer c on c.co_id = s.sub_consumer
     where q.queue_name = i_queue_name and c.co_name = v_member
       for update of s;
    if not found then
        return 0;
    end if;

    perform from pgq.subscription s
       join pgq.consumer c on c.co_id = s.sub_consumer
      where s.sub_queue = me.sub_queue and s.sub_id = me.sub_id and c.co_name = i_consumer_name;
    if not found then
        raise exception 'consumer % on queue % is not a subconsumer of %', v_member, i_queue_name, i_consumer_name
            using hint = 'pgq.unregister_consumer() removes ordinary consumers.';
    end if;
    if me.sub_batch is not null and coalesce(i_batch_handling, 0) not in (1, 2) then
        raise exception 'subconsumer has active batch'
            using hint = 'Batch handling 2 leaves the batch to the other members.';
    end if;
    return skytools.coop_leave(me.sub_queue, me.sub_consumer);
end;
$$;

comment on function pgq_coop.unregister_subconsumer(text, text, text, integer) is
    'removes a worker from its group; an open batch is refused (0), or left to the other members (1, 2)';
