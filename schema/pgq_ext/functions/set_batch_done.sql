-- pgq_ext.set_batch_done(consumer [, subconsumer], batch) → boolean, false if it was done already
-- Remembers the batch in the transaction that applies it. Ids of 0 and below, and NULL, are not remembered.
-- Of two sessions at once the second one waits, and gets false if the first one commits. Errors: 23502 NULL names.

create or replace function pgq_ext.set_batch_done(a_consumer text, a_subconsumer text, a_batch_id bigint)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if coalesce(a_batch_id, 0) <= 0 then
        return true;
    end if;
    insert into pgq_ext.completed_batch as c (consumer_id, subconsumer_id, last_batch_id)
    values (a_consumer, a_subconsumer, a_batch_id)
        on conflict (consumer_id, subconsumer_id) do update set last_batch_id = excluded.last_batch_id
     where c.last_batch_id <> excluded.last_batch_id;
    return found;
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
