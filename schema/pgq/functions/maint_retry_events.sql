-- pgq.maint_retry_events() → integer, how many events were moved; call again until 0
-- Moves at most 10 due retry events back into their queues, oldest first: same id, time, owner and retry count, new txid.
-- The table lock lets one mover at a time work and does not hinder new retries. What its queue refuses (inserts disabled,
-- transaction limit) stays for a later call and does not keep the others waiting; refusals are WARNINGs, but for
-- disabled queues, which are the normal state of a branch.
-- Events over the retry limit of their queue (skytools.set_queue_policy) become dead letters instead; those that come by
-- skytools.answer_batch became so at once.
-- Errors: none of its own.

create or replace function pgq.maint_retry_events()
returns integer language plpgsql as $$
declare
    r       record;
    v_moved integer := 0;
begin
    lock table pgq.retry_queue in share update exclusive mode;
    with late as (
        delete from pgq.retry_queue e
         using skytools.queue_policy p
         where p.queue_id = e.ev_queue and e.ev_retry > p.retry_limit and e.ev_retry_after <= current_timestamp
        returning e.*, p.retry_limit
    )
    insert into skytools.dead_letter as old (sub_id, queue_id, reason, ev_id, ev_time, ev_retry,
                                             ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    select ev_owner, ev_queue, 'retry limit of ' || retry_limit || ' reached', ev_id, ev_time, ev_retry - 1,
           ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4
      from late
    on conflict (sub_id, ev_id) do update
       set dead_time = excluded.dead_time, reason = excluded.reason, ev_retry = excluded.ev_retry;

    for r in
        select q.queue_name, e.* from pgq.retry_queue e
          join pgq.queue q on q.queue_id = e.ev_queue
         where e.ev_retry_after <= current_timestamp
           and (not q.queue_disable_insert or current_setting('session_replication_role') = 'replica')
         order by e.ev_retry_after
    loop
        begin
            perform pgq.insert_event_raw(r.queue_name, r.ev_id, r.ev_time, r.ev_owner, r.ev_retry,
                                         r.ev_type, r.ev_data, r.ev_extra1, r.ev_extra2, r.ev_extra3, r.ev_extra4);
            delete from pgq.retry_queue where ev_owner = r.ev_owner and ev_id = r.ev_id;
            v_moved := v_moved + 1;
        exception when others then
            raise warning 'event % of queue "%" not retried: % (%)', r.ev_id, r.queue_name, sqlerrm, sqlstate;
        end;
        exit when v_moved = 10;
    end loop;
    return v_moved;
end;
$$;

comment on function pgq.maint_retry_events() is 'moves up to 10 due retry events back into their queues; repeat until 0';
