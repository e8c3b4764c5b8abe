-- skytools.dead_replay(queue, consumer [, event ids]) → integer, how many dead letters go back to this consumer
-- They come again with their old ids, for this consumer alone, when maintenance next moves what is in the retry queue. Their
-- retry count starts again. NULL: all of the consumer's; ids that are no dead letters are not counted.
-- Errors: No such event queue · Not subscriber to queue: <queue>/<consumer>.

create or replace function skytools.dead_replay(i_queue_name text, i_consumer_name text, i_event_ids bigint[] default null)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_count integer;
begin
    with letter as (
        delete from skytools.dead_letter d
         using skytools.subscription_of(i_queue_name, i_consumer_name) s
         where d.sub_id = s.sub_id and (i_event_ids is null or d.ev_id = any (i_event_ids))
        returning d.*
    )
    insert into pgq.retry_queue as waiting (ev_retry_after, ev_queue, ev_id, ev_time, ev_txid, ev_owner, ev_retry,
                                            ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    select now(), queue_id, ev_id, ev_time, null, sub_id, 0,
           ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4
      from letter
    on conflict (ev_owner, ev_id) do update set ev_retry_after = excluded.ev_retry_after, ev_retry = 0;
    get diagnostics v_count = row_count;
    return v_count;
end;
$$;

comment on function skytools.dead_replay(text, text, bigint[]) is
    'sends dead letters, all or those named, back to their consumer; returns how many';
