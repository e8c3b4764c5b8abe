-- skytools.nack(queue, consumer, event id [, delay [, reason]]) → integer, 1; 0 when it is no unanswered event of the open batch
-- The event comes again after the delay; NULL: that of the queue's policy (skytools.set_queue_policy). Once it was
-- retried as often as the policy allows, it becomes a dead letter and the reason is kept with it.
-- When no event is left unanswered the batch is finished.
-- Errors: No such event queue · Not subscriber to queue: <queue>/<consumer>.

create or replace function skytools.nack(
    i_queue_name text, i_consumer_name text, i_event_id bigint, i_delay interval default null, i_reason text default null)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_batch bigint := skytools.lock_open_batch(i_queue_name, i_consumer_name);
begin
    if not exists (select from skytools.unanswered where batch_id = v_batch and ev_id = i_event_id) then
        return 0;
    end if;
    perform skytools.return_events(v_batch, array[i_event_id], array[i_delay], array[i_reason], array[false]);
    return skytools.ack(i_queue_name, i_consumer_name, array[i_event_id]);
end;
$$;

comment on function skytools.nack(text, text, bigint, interval, text) is
    'a received event failed: it comes again after the delay, or becomes a dead letter; 0 if it was not waiting';
