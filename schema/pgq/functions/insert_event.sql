-- pgq.insert_event(queue, type, data [, extra1 .. extra4]) → bigint, the event id
-- The short form is SQL, so that the planner puts the long one in its place. Every text may be NULL. The event belongs to the
-- caller's transaction and comes with the next tick after its commit.
-- Errors: those of insert_event_raw.

create or replace function pgq.insert_event(queue_name text, ev_type text, ev_data text)
returns bigint language sql as $$
    select pgq.insert_event(queue_name, ev_type, ev_data, null, null, null, null)
$$;

comment on function pgq.insert_event(text, text, text) is 'puts an event into a queue, returns its id';

-- Triggers call this form; whoever replaces it changes them too.
create or replace function pgq.insert_event(
    queue_name text, ev_type text, ev_data text, ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return pgq.insert_event_raw(queue_name, null, now(), null, null,
                                ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4);
end;
$$;

comment on function pgq.insert_event(text, text, text, text, text, text, text) is
    'puts an event with all its fields into a queue, returns its id';
