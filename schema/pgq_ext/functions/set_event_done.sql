-- pgq_ext.set_event_done(consumer [, subconsumer], batch, event) → boolean, false if it was done already
-- For consumers that commit event by event. The first event of another batch forgets the events of the one before. Not to
-- be combined with retried events, which come in a later batch. Errors: 23502 any NULL.

create or replace function pgq_ext.set_event_done(a_consumer text, a_subconsumer text, a_batch_id bigint, a_event_id bigint)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if pgq_ext.is_event_done(a_consumer, a_subconsumer, a_batch_id, a_event_id) then
        return false;
    end if;

    insert into pgq_ext.partial_batch as p (consumer_id, subconsumer_id, cur_batch_id)
    values (a_consumer, a_subconsumer, a_batch_id)
        on conflict (consumer_id, subconsumer_id) do update set cur_batch_id = excluded.cur_batch_id
     where p.cur_batch_id <> excluded.cur_batch_id;
    if found then
        delete from pgq_ext.completed_event
         where consumer_id = a_consumer and subconsumer_id = a_subconsumer and batch_id <> a_batch_id;
    end if;

    insert into pgq_ext.completed_event (consumer_id, subconsumer_id, batch_id, event_id)
    values (a_consumer, a_subconsumer, a_batch_id, a_event_id)
        on conflict do nothing;
    return found;
end;
$$;

comment on function pgq_ext.set_event_done(text, text, bigint, bigint) is
    'remembers an event of a batch as applied; false if it was';

create or replace function pgq_ext.set_event_done(a_consumer text, a_batch_id bigint, a_event_id bigint)
returns boolean language plpgsql as $$
begin
    return pgq_ext.set_event_done(a_consumer, '', a_batch_id, a_event_id);
end;
$$;

comment on function pgq_ext.set_event_done(text, bigint, bigint) is
    'remembers an event of a batch as applied; false if it was';
