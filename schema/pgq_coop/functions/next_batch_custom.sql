-- pgq_coop.next_batch_custom(queue, consumer, subconsumer, min_lag, min_count, min_interval [, dead interval])
--   → bigint batch id, NULL: nothing to do
-- In this order: the worker's open batch again; a batch that a member left behind (unregister_subconsumer), or that a dead
-- one holds; the group's next batch, under the limits of pgq.next_batch_custom. An unknown worker, and an unknown consumer,
-- is registered. Work on the batch with the functions of schema pgq.
-- Dead is a member that neither asked for nor finished a batch for the dead interval; NULL: nobody is. So the interval must
-- exceed the work on a batch, or the worker asks again while it works, which shows that it lives. A dead member without a
-- batch is removed, too, one per call. A batch taken over gets a new id: its old owner can't finish or retry it any more.
-- An idle call only reads. A paused group (skytools.pause_consumer) gets nothing, not even what is open; asking still shows life.
-- Errors: main consumer has batch open? · subconsumer not found · those of register_subconsumer.

create or replace function pgq_coop.next_batch_custom(
    i_queue_name text, i_consumer_name text, i_subconsumer_name text,
    i_min_lag interval, i_min_count integer, i_min_interval interval, i_dead_interval interval)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_member text := i_consumer_name || '.' || i_subconsumer_name;
    main     record;
    me       record;
    other    record;
    batch    record;   -- what to hand out: id, first_tick, last_tick
begin
    -- Mostly there is nothing to do. That is seen without locks, each of which would cost a write.
    perform from pgq.queue q
       join pgq.consumer main_name on main_name.co_name = i_consumer_name
       join pgq.consumer my_name on my_name.co_name = v_member
       join pgq.subscription m on m.sub_queue = q.queue_id and m.sub_consumer = main_name.co_id
       join pgq.subscription s on s.sub_queue = q.queue_id and s.sub_consumer = my_name.co_id and s.sub_id = m.sub_id
      where q.queue_name = i_queue_name
        and m.sub_batch is null and s.sub_next_tick is null
        and not exists (select from pgq.tick t where t.tick_queue = m.sub_queue and t.tick_id > m.sub_last_tick)
        and coalesce(s.sub_active >= now() - i_dead_interval / 2, true)
        and not exists (
               select from pgq.subscription o
                where o.sub_queue = m.sub_queue and o.sub_id = m.sub_id
                  and o.sub_consumer not in (m.sub_consumer, s.sub_consumer)
                  and (o.sub_batch is null and o.sub_next_tick is not null or o.sub_active < now() - i_dead_interval));
    if found then
        return null;
    end if;

    for v_try in 1 .. 2 loop
        -- The first lock makes the group's members come one after the other, the second one keeps this one registered.
        select s.* into main
          from pgq.subscription s
          join pgq.queue q on q.queue_id = s.sub_queue
          join pgq.consumer c on c.co_id = s.sub_consumer
         where q.queue_name = i_queue_name and c.co_name = i_consumer_name
           for update of s;
        if main.sub_batch is not null then
            raise exception 'main consumer has batch open?';
        end if;
        select s.* into me
          from pgq.subscription s
          join pgq.consumer c on c.co_id = s.sub_consumer
         where s.sub_queue = main.sub_queue and s.sub_id = main.sub_id and c.co_name = v_member
           for update of s;
        exit when found;
        if v_try = 2 then
            raise exception 'subconsumer not found';
        end if;
        perform pgq_coop.register_subconsumer(i_queue_name, i_consumer_name, i_subconsumer_name);
    end loop;

    if me.sub_batch is not null or me.sub_active < now() - i_dead_interval / 2 then
        update pgq.subscription set sub_active = now()
         where sub_queue = me.sub_queue and sub_consumer = me.sub_consumer;
    end if;
    if exists (select from skytools.paused_consumer p where p.sub_id = main.sub_id) then
        return null;
    end if;
    if me.sub_batch is not null then
        return me.sub_batch;
    end if;

    if me.sub_next_tick is not null then   -- unregistered and back
        select nextval('pgq.batch_id_seq') as id, me.sub_last_tick as first_tick, me.sub_next_tick as last_tick into batch;
    else
        -- Who is at work in another session, be it on finishing its batch, is alive.
        select s.* into other
          from pgq.subscription s
          join pgq.consumer c on c.co_id = s.sub_consumer
         where s.sub_queue = main.sub_queue and s.sub_id = main.sub_id
           and s.sub_consumer not in (main.sub_consumer, me.sub_consumer)
           and (s.sub_batch is null and s.sub_next_tick is not null or s.sub_active < now() - i_dead_interval)
         order by s.sub_next_tick is null, s.sub_last_tick
         limit 1 for update skip locked;
        if found then
            delete from pgq.subscription where sub_queue = other.sub_queue and sub_consumer = other.sub_consumer;
            perform skytools.drop_unused_consumer(other.sub_consumer);
        end if;

        if other.sub_next_tick is not null then
            select nextval('pgq.batch_id_seq') as id, other.sub_last_tick as first_tick, other.sub_next_tick as last_tick
              into batch;
        else
            select n.batch_id as id, n.prev_tick_id as first_tick, n.cur_tick_id as last_tick into batch
              from pgq.next_batch_custom(i_queue_name, i_consumer_name, i_min_lag, i_min_count, i_min_interval) n;
            if batch.id is null then
                return null;
            end if;
            update pgq.subscription
               set sub_last_tick = sub_next_tick, sub_next_tick = null, sub_batch = null
             where sub_queue = main.sub_queue and sub_consumer = main.sub_consumer;
        end if;
    end if;

    update pgq.subscription
       set sub_batch = batch.id, sub_last_tick = batch.first_tick, sub_next_tick = batch.last_tick, sub_active = now()
     where sub_queue = me.sub_queue and sub_consumer = me.sub_consumer;
    return batch.id;
end;
$$;

comment on function pgq_coop.next_batch_custom(text, text, text, interval, integer, interval, interval) is
    'opens a batch of the group, of at least the given age, event count or time span, or takes one over from a dead member';

create or replace function pgq_coop.next_batch_custom(
    i_queue_name text, i_consumer_name text, i_subconsumer_name text,
    i_min_lag interval, i_min_count integer, i_min_interval interval)
returns bigint language plpgsql as $$
begin
    return pgq_coop.next_batch_custom(
        i_queue_name, i_consumer_name, i_subconsumer_name, i_min_lag, i_min_count, i_min_interval, null);
end;
$$;

comment on function pgq_coop.next_batch_custom(text, text, text, interval, integer, interval) is
    'the same without taking over from members that seem dead';
