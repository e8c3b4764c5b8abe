-- skytools.refuse_closed(queue id, message) → void
-- For who has the lock of the event table. Has the queue's root made its last tick since its row was read? The mark of that
-- (skytools.note_closing), which every snapshot sees, says it may have; the row, read once more, says whether somebody has
-- opened the queue by hand. An old snapshot cannot tell, there the mark counts. Errors: the message.

create or replace function skytools.refuse_closed(i_queue_id integer, i_message text)
returns void language plpgsql as $$
begin
    if pg_catalog.pg_sequence_last_value(pg_catalog.to_regclass('skytools.rotation_' || i_queue_id)) >= 1::bigint << 62
       and pg_catalog.current_setting('session_replication_role') <> 'replica'
       and (pg_catalog.current_setting('transaction_isolation') not in ('read committed', 'read uncommitted')
            or exists (select from pgq.queue where queue_id = i_queue_id and queue_disable_insert)) then
        raise exception '%', i_message;
    end if;
end;
$$;

comment on function skytools.refuse_closed(integer, text) is
    'an error when the queue''s root has made its last tick; for who has the lock of the event table';
