-- pgq_ext.set_batch_done(consumer [, subconsumer], batch) → boolean, false if it was done already
-- Remembers the batch in the transaction that applies it. Ids of 0 and below, and NULL, are not remembered.
-- Of two sessions at once the second one waits, and gets false if the first one commits. Errors: 23502 NULL names.

create or replace function pgq_ext.set_batch_done(a_consumer text, a_subconsumer text, a_batch_id bigint)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_row    constant text := 'completed_batch ' || a_consumer || '/' || a_subconsumer;
    v_place  tid;
begin
    if coalesce(a_batch_id, 0) <= 0 then
        return true;
    end if;
    update pgq_ext.completed_batch set last_batch_id = a_batch_id
     where ctid = skytools.row_place(v_row) and consumer_id = a_consumer and subconsumer_id = a_subconsumer
       and last_batch_id <> a_batch_id
    returning ctid into v_place;
    if not found then
        insert into pgq_ext.completed_batch as c (consumer_id, subconsumer_id, last_batch_id)
        values (a_consumer, a_subconsumer, a_batch_id)
            on conflict (consumer_id, subconsumer_id) do update set last_batch_id = excluded.last_batch_id
         where c.last_batch_id <> excluded.last_batch_id
        returning c.ctid into v_place;
    end if;
    if not found then
        return false;
    end if;
    perform skytools.keep_row_place(v_row, v_place);
    return true;
end;
$$;

comment on function pgq_ext.set_batch_done(text, text, bigint) is 'remembers a batch as applied; false if it was';

create or replace function pgq_ext.set_batch_done(a_consumer text, a_batch_id bigint)
returns boolean language plpgsql as $$
begin
    return pgq_ext.set_batch_done(a_consumer, '', a_batch_id);
end;
$$;

comment on function pgq_ext.set_batch_done(text, bigint) is 'remembers a batch as applied; false if it was';
