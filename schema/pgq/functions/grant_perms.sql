-- pgq.grant_perms(queue) → integer, 1; may be repeated
-- Event tables get the privileges of pgq.event_template; the sequences may be read by everybody (queue info), and the event
-- sequence be used by pgq_admin (bulk inserts).
-- Errors: Queue not found.

create or replace function pgq.grant_perms(x_queue_name text)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q        record;
    v_schema text;
    v_table  text;
begin
    select queue_ntables, queue_data_pfx, queue_event_seq, queue_tick_seq,
           strpos(queue_data_pfx, '.') as dot
      into q from pgq.queue where queue_name = x_queue_name;
    if not found then
        raise exception 'Queue not found';
    end if;

    execute 'grant select on sequence ' || pgq.quote_fqname(q.queue_tick_seq) || ' to public';
    execute 'grant select on sequence ' || pgq.quote_fqname(q.queue_event_seq) || ' to public';
    execute 'grant usage on sequence ' || pgq.quote_fqname(q.queue_event_seq) || ' to pgq_admin';

    v_schema := left(q.queue_data_pfx, q.dot - 1);
    v_table := substr(q.queue_data_pfx, q.dot + 1);
    perform pgq._grant_perms_from('pgq', 'event_template', v_schema, v_table);
    for i in 0 .. q.queue_ntables - 1 loop
        perform pgq._grant_perms_from('pgq', 'event_template', v_schema, v_table || '_' || i);
    end loop;
    return 1;
end;
$$;

comment on function pgq.grant_perms(text) is 'sets the privileges of a queue''s tables and sequences';
