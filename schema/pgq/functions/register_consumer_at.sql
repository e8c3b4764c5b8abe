-- pgq.register_consumer_at(queue, consumer, tick or NULL) → integer, 1 registered now, 0 was registered
-- A registered consumer with a tick given is moved there, forwards or backwards, and loses its open batch; without a tick
-- it stays as it is. Several sessions may register the same name at once: one gets 1, the others 0.
-- Locks: consumer before subscription, and no key locks that foreign key checks would wait for.
-- Errors: Event queue not created yet · cannot reposition, tick not found: <n> · No ticks for this queue.  Please run
--   ticker on database. · cannot reposition, consumer <c> is a subconsumer · 23502 NULL consumer name.

create or replace function pgq.register_consumer_at(x_queue_name text, x_consumer_name text, x_tick_pos bigint)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_queue_id    integer;
    v_consumer_id integer;
    v_last_tick   bigint := x_tick_pos;
    v_locked      boolean := false;
    v_safe        boolean;
begin
    select queue_id into v_queue_id from pgq.queue where queue_name = x_queue_name;
    if not found then
        raise exception 'Event queue not created yet';
    end if;

    -- Again if the name is unregistered between the insert and the lock.
    loop
        select co_id into v_consumer_id from pgq.consumer where co_name = x_consumer_name for no key update;
        exit when found;
        insert into pgq.consumer (co_name) values (x_consumer_name) on conflict (co_name) do nothing;
    end loop;

    if x_tick_pos is not null then
        if skytools.coop_member(v_queue_id, v_consumer_id) then
            raise exception 'cannot reposition, consumer % is a subconsumer', x_consumer_name
                using hint = 'The position of a cooperative group is that of its main consumer.';
        end if;
        -- No rotation may begin between here and our commit: it would not see this consumer and could drop events behind the
        -- tick. And one that just ended makes us see that the tick is gone.
        perform from pgq.queue where queue_id = v_queue_id for share;
        if not exists (select from pgq.tick where tick_queue = v_queue_id and tick_id = x_tick_pos) then
            raise exception 'cannot reposition, tick not found: %', x_tick_pos;
        end if;
        update pgq.subscription
           set sub_last_tick = x_tick_pos, sub_batch = null, sub_next_tick = null, sub_active = now()
         where sub_queue = v_queue_id and sub_consumer = v_consumer_id;
    else
        perform from pgq.subscription where sub_queue = v_queue_id and sub_consumer = v_consumer_id;
    end if;
    if found then
        return 0;
    end if;

    if v_last_tick is null then
        loop
            select t.tick_id, v_locked or txid_snapshot_xmin(t.tick_snapshot) > q.queue_switch_step2
                                          and current_setting('transaction_isolation') like 'read %'
              into v_last_tick, v_safe
              from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue
             where t.tick_queue = v_queue_id
             order by t.tick_queue desc, t.tick_id desc limit 1;
            if not found then
                raise exception 'No ticks for this queue.  Please run ticker on database.';
            end if;
            exit when v_safe;
            -- older than the last rotation, because the ticker stood or a transaction runs since: as above; and an old
            -- snapshot does not show the rotations since, which the lock then fails for (40001)
            perform from pgq.queue where queue_id = v_queue_id for share;
            v_locked := true;
        end loop;
    end if;
    insert into pgq.subscription (sub_queue, sub_consumer, sub_last_tick)
    values (v_queue_id, v_consumer_id, v_last_tick);
    return 1;
end;
$$;

comment on function pgq.register_consumer_at(text, text, bigint) is
    'registers a consumer at a tick, or moves a registered one there; 1 new, 0 already there';
