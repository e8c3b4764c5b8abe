-- pgq.drop_queue(queue, force) → integer, 1
-- Drops the queue with tables, sequences, ticks and waiting retry events. Without force only if no consumer is registered;
-- with it the consumers are unregistered first. Nothing is cascaded: views and the like on event tables make it fail.
-- Errors: No such event queue · cannot drop queue, consumers still attached · 2BP01 something depends on a table.

create or replace function pgq.drop_queue(x_queue_name text, x_force boolean)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q          record;
    v_consumer text;
begin
    select queue_id, queue_ntables, queue_data_pfx, queue_event_seq, queue_tick_seq into q
      from pgq.queue where queue_name = x_queue_name for update;
    if not found then
        raise exception 'No such event queue';
    end if;

    if x_force then
        -- one by one: a group's main consumer takes its members along, the rest of the loop then returns 0
        for v_consumer in
            select c.co_name from pgq.subscription s join pgq.consumer c on c.co_id = s.sub_consumer
             where s.sub_queue = q.queue_id order by c.co_name
        loop
            perform pgq.unregister_consumer(x_queue_name, v_consumer);
        end loop;
    end if;
    if exists (select from pgq.subscription where sub_queue = q.queue_id) then
        raise exception 'cannot drop queue, consumers still attached';
    end if;

    for i in 0 .. q.queue_ntables - 1 loop
        execute 'drop table ' || pgq.quote_fqname(q.queue_data_pfx || '_' || i);
    end loop;
    execute 'drop table ' || pgq.quote_fqname(q.queue_data_pfx);
    execute 'drop sequence ' || pgq.quote_fqname(q.queue_tick_seq);
    execute 'drop sequence ' || pgq.quote_fqname(q.queue_event_seq);
    execute format('drop sequence if exists skytools.%I', 'rotation_' || q.queue_id);
    delete from pgq.tick where tick_queue = q.queue_id;
    delete from pgq.retry_queue where ev_queue = q.queue_id;   -- their owners are gone, nobody could get them
    delete from pgq.queue where queue_id = q.queue_id;
    perform skytools.forget_gone();
    return 1;
end;
$$;

comment on function pgq.drop_queue(text, boolean) is 'drops a queue; with force also its consumers';

-- pgq.drop_queue(queue) → integer: the same without force; NULL for NULL.

create or replace function pgq.drop_queue(x_queue_name text)
returns integer language plpgsql strict as $$
begin
    return pgq.drop_queue(x_queue_name, false);
end;
$$;

comment on function pgq.drop_queue(text) is 'drops a queue that has no consumers';
