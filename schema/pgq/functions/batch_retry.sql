-- pgq.batch_retry(batch, seconds) → integer, how many events were queued
-- Keeps all events of an open batch for later, except those that wait for this consumer already; see event_retry.
-- Errors: batch_retry: batch <n> not found · 23502 NULL seconds.

create or replace function pgq.batch_retry(i_batch_id bigint, i_retry_seconds integer)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s       record;
    v_count integer;
begin
    select sub_id, sub_queue into s from pgq.subscription where sub_batch = i_batch_id;
    if not found then
        raise exception 'batch_retry: batch % not found', i_batch_id;
    end if;
    execute 'insert into pgq.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_txid, ev_owner, ev_retry,'
            ' ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)'
            ' select $1, $2, ev_id, ev_time, null, $3, coalesce(ev_retry, 0) + 1,'
            ' ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4 from ('
         || pgq.batch_event_sql(i_batch_id)
         || ') batch on conflict (ev_owner, ev_id) do nothing'
      using current_timestamp + make_interval(secs => i_retry_seconds), s.sub_queue, s.sub_id;
    get diagnostics v_count = row_count;
    return v_count;
end;
$$;

comment on function pgq.batch_retry(bigint, integer) is
    'delivers all events of the open batch to this consumer again, after the given seconds';
