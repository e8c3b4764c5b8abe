-- pgq_coop.register_subconsumer(queue, consumer M, subconsumer S) → integer, 1 registered now, 0 was registered
-- A group is the main consumer M, an ordinary one that holds the position, and its members, each registered as "M.S" with
-- M's sub_id, so that what a member retries comes back to the group. States of a member's row:
--   idle    last tick, next tick and batch NULL: holds up no rotation
--   busy    all three set
--   left    both ticks without a batch: unregistered with a batch open, which the next member that asks takes over
-- M is registered too if need be, at the newest tick. Whoever changes a group locks M's subscription first. Many sessions
-- may call this at once.
-- Errors: those of pgq.register_consumer · <M.S> is an ordinary consumer, or another group's · M is itself a subconsumer.

create or replace function pgq_coop.register_subconsumer(
    i_queue_name text, i_consumer_name text, i_subconsumer_name text)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_member text := i_consumer_name || '.' || i_subconsumer_name;
    v_new    integer;
    main     record;
    me       record;
begin
    loop
        select s.sub_queue, s.sub_consumer, s.sub_id into main
          from pgq.subscription s
          join pgq.queue q on q.queue_id = s.sub_queue
          join pgq.consumer c on c.co_id = s.sub_consumer
         where q.queue_name = i_queue_name and c.co_name = i_consumer_name
           for update of s;
        exit when found;
        -- An extension's register_consumer fails when another session is adding the same name; this waits for that session.
        insert into pgq.consumer (co_name)
        select i_consumer_name from pgq.queue q where q.queue_name = i_queue_name
            on conflict (co_name) do nothing;
        perform pgq.register_consumer(i_queue_name, i_consumer_name);
    end loop;
    if skytools.coop_member(main.sub_queue, main.sub_consumer) then
        raise exception 'consumer % on queue % is itself a subconsumer', i_consumer_name, i_queue_name;
    end if;

    v_new := pgq.register_consumer(i_queue_name, v_member);
    select s.* into me
      from pgq.subscription s
      join pgq.consumer c on c.co_id = s.sub_consumer
     where s.sub_queue = main.sub_queue and c.co_name = v_member
       for update of s;
    if v_new = 1 then
        update pgq.subscription
           set sub_id = main.sub_id, sub_last_tick = null, sub_next_tick = null
         where sub_queue = me.sub_queue and sub_consumer = me.sub_consumer;
    elsif me.sub_id <> main.sub_id then
        raise exception 'consumer % on queue % is not a subconsumer of %', v_member, i_queue_name, i_consumer_name
            using hint = 'Choose another subconsumer name, or unregister that consumer first.';
    elsif me.sub_next_tick is not null and me.sub_batch is null then
        -- back before anybody took its batch
        update pgq.subscription
           set sub_batch = nextval('pgq.batch_id_seq'), sub_active = now()
         where sub_queue = me.sub_queue and sub_consumer = me.sub_consumer;
        v_new := 1;
    end if;
    return v_new;
end;
$$;

comment on function pgq_coop.register_subconsumer(text, text, text) is
    'makes a worker a member of the consumer''s group, and registers the consumer if need be; 1 new, 0 already there';
