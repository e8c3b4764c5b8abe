-- pgq_ext.get_last_tick(consumer [, subconsumer]) → bigint, the tick applied last; NULL if none is known. Errors: none.

create or replace function pgq_ext.get_last_tick(a_consumer text, a_subconsumer text)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return coalesce(
        (select last_tick_id from pgq_ext.completed_tick
          where ctid = skytools.row_place('completed_tick ' || a_consumer || '/' || a_subconsumer)
            and consumer_id = a_consumer and subconsumer_id = a_subconsumer),
        (select last_tick_id from pgq_ext.completed_tick
          where consumer_id = a_consumer and subconsumer_id = a_subconsumer));
end;
$$;

comment on function pgq_ext.get_last_tick(text, text) is 'the tick applied last; NULL if none is known';

create or replace function pgq_ext.get_last_tick(a_consumer text)
returns bigint language plpgsql as $$
begin
    return pgq_ext.get_last_tick(a_consumer, '');
end;
$$;

comment on function pgq_ext.get_last_tick(text) is 'the tick applied last; NULL if none is known';
