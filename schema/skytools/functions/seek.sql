-- skytools.seek(queue, consumer, tick) → bigint, the tick the consumer now stands at
-- Moves a registered consumer, forwards or backwards; its next batch begins at that tick. Waiting retries stay.
-- While the queue row is locked no rotation can take away the tick or the events behind it.
-- A cooperative group is moved as a whole, by its main consumer.
-- Errors: No such event queue · Not subscriber to queue: <queue>/<consumer> · consumer … has an open batch · consumer … is a
--   member of a cooperative group … · queue … has no tick …, its ticks go from … to ….

create or replace function skytools.seek(i_queue_name text, i_consumer_name text, i_tick_id bigint)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s record;
    t record;
begin
    select * into s from skytools.subscription_of(i_queue_name, i_consumer_name);
    if skytools.coop_member(s.queue_id, s.consumer_id) then
        raise exception 'consumer "%" is a member of a cooperative group, move its main consumer', i_consumer_name;
    end if;
    perform from pgq.queue where queue_id = s.queue_id for share;
    -- By sub_id, which stays: see skytools.renew_consumer_id. Of a group the main consumer's row only, which its members lock
    -- before their own ones; without it none of them gets a batch.
    perform from pgq.subscription m
      where m.sub_queue = s.queue_id and m.sub_id = s.sub_id and not skytools.coop_member(m.sub_queue, m.sub_consumer)
        for no key update;
    if exists (select from pgq.subscription
                where sub_queue = s.queue_id and sub_id = s.sub_id and sub_batch is not null) then
        raise exception 'consumer "%" has an open batch on queue "%"', i_consumer_name, i_queue_name
            using hint = 'Stop the consumer, let it finish the batch, or end it with pgq.finish_batch().';
    end if;

    if i_tick_id is null or not exists (select from pgq.tick where tick_queue = s.queue_id and tick_id = i_tick_id) then
        select min(tick_id) as oldest, min(tick_time) as since, max(tick_id) as newest into t
          from pgq.tick where tick_queue = s.queue_id;
        raise exception 'queue "%" has no tick %, its ticks go from % (%) to %',
            i_queue_name, i_tick_id, t.oldest, t.since, t.newest;
    end if;

    update pgq.subscription m set sub_last_tick = i_tick_id, sub_active = now()
     where m.sub_queue = s.queue_id and m.sub_id = s.sub_id and not skytools.coop_member(m.sub_queue, m.sub_consumer);
    perform pg_notify('pgq_tick_' || s.queue_id, i_tick_id::text);
    return i_tick_id;
end;
$$;

comment on function skytools.seek(text, text, bigint) is 'moves a consumer to a tick, returns it; not with an open batch';

-- skytools.seek(queue, consumer, time) → bigint: the same, to the newest tick at or before the time. All that was committed
-- after the time comes (again), and a little of what was before it.
-- Errors: also queue … has no tick at or before <time>, the oldest is … of ….

create or replace function skytools.seek(i_queue_name text, i_consumer_name text, i_time timestamptz)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_queue_id integer;
    v_tick_id  bigint;
    t          record;
begin
    select s.queue_id into v_queue_id from skytools.subscription_of(i_queue_name, i_consumer_name) s;
    -- before the tick is chosen, so that it is still there when the consumer moves
    perform from pgq.queue where queue_id = v_queue_id for share;
    select tick_id into v_tick_id from pgq.tick
     where tick_queue = v_queue_id and tick_time <= i_time
     order by tick_queue desc, tick_id desc limit 1;
    if not found then
        select tick_id, tick_time into t from pgq.tick
         where tick_queue = v_queue_id order by tick_queue, tick_id limit 1;
        raise exception 'queue "%" has no tick at or before %, the oldest is % of %',
            i_queue_name, i_time, t.tick_id, t.tick_time;
    end if;
    return skytools.seek(i_queue_name, i_consumer_name, v_tick_id);
end;
$$;

comment on function skytools.seek(text, text, timestamptz) is
    'moves a consumer to the newest tick at or before a time, returns it; not with an open batch';
