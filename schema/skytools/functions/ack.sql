-- skytools.ack(queue, consumer, event ids) → integer, how many of them were unanswered events of the open batch and are done
-- When none is left the batch is finished. Errors: No such event queue · Not subscriber to queue: <queue>/<consumer> ·
--   40001 in REPEATABLE READ, where another session answered events meanwhile.

create or replace function skytools.ack(i_queue_name text, i_consumer_name text, i_event_ids bigint[])
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_batch bigint := skytools.lock_open_batch(i_queue_name, i_consumer_name);
    v_count integer;
begin
    delete from skytools.unanswered where batch_id = v_batch and ev_id = any (i_event_ids);
    get diagnostics v_count = row_count;
    -- The lock makes a REPEATABLE READ transaction fail where its snapshot shows events that were answered since: it would
    -- leave the batch open without any, and receive would hand all of them out again.
    if v_count > 0 and not exists (select from skytools.unanswered where batch_id = v_batch for key share) then
        perform pgq.finish_batch(v_batch);
    end if;
    return v_count;
end;
$$;

comment on function skytools.ack(text, text, bigint[]) is 'received events are done; returns how many were waiting for that';

-- skytools.ack(queue, consumer, event id): the same for one event.

create or replace function skytools.ack(i_queue_name text, i_consumer_name text, i_event_id bigint)
returns integer language sql as $$
    select skytools.ack(i_queue_name, i_consumer_name, array[i_event_id])
$$;

comment on function skytools.ack(text, text, bigint) is 'a received event is done; 0 if it was not waiting for that';
