-- pgq.event_retry(batch, event id, time) → integer, 1 queued, 0 was queued already
-- Keeps an event of an open batch for later: maintenance puts it back into the queue after that time, for this consumer
-- alone, with its old id and a retry count one higher.
-- Errors: event not found (or the batch is not open).

create or replace function pgq.event_retry(x_batch_id bigint, x_event_id bigint, x_retry_time timestamptz)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s record;
    e record;
begin
    select sub_id, sub_queue into s from pgq.subscription where sub_batch = x_batch_id;
    if not found then
        raise exception 'event not found';
    end if;
    execute 'select * from (' || pgq.batch_event_sql(x_batch_id) || ') batch where ev_id = $1 limit 1'
       into e using x_event_id;
    if e.ev_id is null then
        raise exception 'event not found';
    end if;

    insert into pgq.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_txid, ev_owner, ev_retry,
                                 ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    values (x_retry_time, s.sub_queue, e.ev_id, e.ev_time, null, s.sub_id, coalesce(e.ev_retry, 0) + 1,
            e.ev_type, e.ev_data, e.ev_extra1, e.ev_extra2, e.ev_extra3, e.ev_extra4)
    on conflict (ev_owner, ev_id) do nothing;
    return case when found then 1 else 0 end;
end;
$$;

comment on function pgq.event_retry(bigint, bigint, timestamptz) is
    'delivers an event of the open batch to this consumer again, after the given time';

-- pgq.event_retry(batch, event id, seconds): the same, seconds from now.

create or replace function pgq.event_retry(x_batch_id bigint, x_event_id bigint, x_retry_seconds integer)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return pgq.event_retry(x_batch_id, x_event_id, current_timestamp + make_interval(secs => x_retry_seconds));
end;
$$;

comment on function pgq.event_retry(bigint, bigint, integer) is
    'delivers an event of the open batch to this consumer again, after the given seconds';
