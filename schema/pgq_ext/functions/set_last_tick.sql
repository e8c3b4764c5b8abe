-- pgq_ext.set_last_tick(consumer [, subconsumer], tick) → integer, always 1
-- Remembers the tick in the transaction that applies the batch before it; NULL forgets the consumer.
-- Errors: 23502 NULL names.

create or replace function pgq_ext.set_last_tick(a_consumer text, a_subconsumer text, a_tick_id bigint)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_row    constant text := 'completed_tick ' || a_consumer || '/' || a_subconsumer;
    v_place  tid;
begin
    if a_tick_id is null then
        delete from pgq_ext.completed_tick where consumer_id = a_consumer and subconsumer_id = a_subconsumer;
        return 1;
    end if;
    update pgq_ext.completed_tick set last_tick_id = a_tick_id
     where ctid = skytools.row_place(v_row) and consumer_id = a_consumer and subconsumer_id = a_subconsumer
    returning ctid into v_place;
    if not found then
        insert into pgq_ext.completed_tick as t (consumer_id, subconsumer_id, last_tick_id)
        values (a_consumer, a_subconsumer, a_tick_id)
            on conflict (consumer_id, subconsumer_id) do update set last_tick_id = excluded.last_tick_id
        returning t.ctid into v_place;
    end if;
    perform skytools.keep_row_place(v_row, v_place);
    return 1;
end;
$$;

comment on function pgq_ext.set_last_tick(text, text, bigint) is 'remembers the tick applied last; NULL forgets it';

create or replace function pgq_ext.set_last_tick(a_consumer text, a_tick_id bigint)
returns integer language plpgsql as $$
begin
    return pgq_ext.set_last_tick(a_consumer, '', a_tick_id);
end;
$$;

comment on function pgq_ext.set_last_tick(text, bigint) is 'remembers the tick applied last; NULL forgets it';
