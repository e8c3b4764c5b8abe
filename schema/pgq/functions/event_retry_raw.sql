-- pgq.event_retry_raw(queue, consumer, after, id, time, retry, type, data, extra1 .. extra4) → bigint, the event id
-- Puts an event straight into the retry queue of a consumer; a NULL id takes the queue's next one.
-- Errors: consumer not registered · 23505 this event waits for the consumer already · 23502 NULL time.

create or replace function pgq.event_retry_raw(
    x_queue text, x_consumer text, x_retry_after timestamptz, x_ev_id bigint, x_ev_time timestamptz, x_ev_retry integer,
    x_ev_type text, x_ev_data text, x_ev_extra1 text, x_ev_extra2 text, x_ev_extra3 text, x_ev_extra4 text)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s    record;
    v_id bigint;
begin
    select sub.sub_id, sub.sub_queue, q.queue_event_seq into s
      from pgq.subscription sub
      join pgq.queue q on q.queue_id = sub.sub_queue
      join pgq.consumer c on c.co_id = sub.sub_consumer
     where q.queue_name = x_queue and c.co_name = x_consumer;
    if not found then
        raise exception 'consumer not registered';
    end if;
    v_id := coalesce(x_ev_id, nextval(pgq.quote_fqname(s.queue_event_seq)::regclass));
    insert into pgq.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_owner, ev_retry,
                                 ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    values (x_retry_after, s.sub_queue, v_id, x_ev_time, s.sub_id, x_ev_retry,
            x_ev_type, x_ev_data, x_ev_extra1, x_ev_extra2, x_ev_extra3, x_ev_extra4);
    return v_id;
end;
$$;

comment on function pgq.event_retry_raw(
    text, text, timestamptz, bigint, timestamptz, integer, text, text, text, text, text, text) is
    'puts an event into the retry queue of a consumer';
