-- skytools.note_closing(queue id, closed) → void
-- Lets producers that read the queue's row before see that a root was closed for events (demote_root step 2), or is open again:
-- bit 62 of the value of skytools.rotation_<queue_id>, which is no transaction id. The caller has the queue's row locked, so
-- that the rotation does not write the sequence at the same time. A queue without that sequence is left alone.
-- Errors: none of its own.

create or replace function skytools.note_closing(i_queue_id integer, i_closed boolean)
returns void language plpgsql as $$
declare
    v_closed    constant bigint := 1::bigint << 62;
    v_sequence  regclass := pg_catalog.to_regclass('skytools.rotation_' || i_queue_id);
    v_last      bigint := coalesce(pg_catalog.pg_sequence_last_value(v_sequence), 0);
begin
    if v_sequence is not null and (v_last & v_closed <> 0) <> i_closed then
        perform pg_catalog.setval(v_sequence, greatest(v_last # v_closed, 1));
    end if;
end;
$$;

comment on function skytools.note_closing(integer, boolean) is
    'shows producers with an old snapshot that the queue was closed for events, or is open again';
