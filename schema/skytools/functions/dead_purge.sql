-- skytools.dead_purge(queue, consumer [, event ids]) → integer, how many dead letters were deleted
-- NULL: all of the consumer's; ids that are no dead letters are not counted.
-- Errors: No such event queue · Not subscriber to queue: <queue>/<consumer>.

create or replace function skytools.dead_purge(i_queue_name text, i_consumer_name text, i_event_ids bigint[] default null)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_count integer;
begin
    delete from skytools.dead_letter d
     using skytools.subscription_of(i_queue_name, i_consumer_name) s
     where d.sub_id = s.sub_id and (i_event_ids is null or d.ev_id = any (i_event_ids));
    get diagnostics v_count = row_count;
    return v_count;
end;
$$;

comment on function skytools.dead_purge(text, text, bigint[]) is 'deletes dead letters, all of a consumer or those named';
