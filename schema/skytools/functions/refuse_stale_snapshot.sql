-- skytools.refuse_stale_snapshot(queue name, queue id, queue_switch_step1 as the caller's snapshot shows it) → void
-- For producers in REPEATABLE READ or SERIALIZABLE only. Their snapshot may show a queue row from before a rotation; an
-- event written to the table it names could be truncated unread. skytools.rotation_<queue_id> holds the switch_step1 of the
-- newest completed rotation and, being a sequence, is seen as it is now and not as it was at the snapshot. Its bit 62 tells that
-- the queue was closed for events (note_closing): one more would come after the last tick of a root, and be lost to the set.
-- The caller must own a transaction id before it calls (see pgq.maint_rotate_tables_step2 for the proof that needs it).
-- A queue without that sequence (made by the extension, never adopted) is not checked.
-- Errors: Insert into queue disallowed, as with a present snapshot · 40001 the queue was rotated since the snapshot; the transaction has to be retried.

create or replace function skytools.refuse_stale_snapshot(i_queue text, i_queue_id integer, i_switch_step1 bigint)
returns void language plpgsql as $$
declare
    v_sequence regclass := pg_catalog.to_regclass('skytools.rotation_' || i_queue_id);
    v_last     bigint := coalesce(pg_catalog.pg_sequence_last_value(v_sequence), 0);
    v_closed   constant bigint := 1::bigint << 62;
begin
    if v_last & v_closed <> 0 and pg_catalog.current_setting('session_replication_role') <> 'replica' then
        raise exception 'Insert into queue disallowed';
    end if;
    if v_last & ~v_closed > i_switch_step1 then
        raise exception 'queue "%" was rotated after this transaction''s snapshot', i_queue
            using errcode = '40001', hint = 'Retry the transaction.';
    end if;
end;
$$;

comment on function skytools.refuse_stale_snapshot(text, integer, bigint) is
    '40001 when the queue was rotated since the snapshot of this REPEATABLE READ or SERIALIZABLE transaction';
