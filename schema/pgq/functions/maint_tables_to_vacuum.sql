-- pgq.maint_tables_to_vacuum() → setof text, unquoted names of small busy tables that the ticker should vacuum
-- Empty if autovacuum does that. Only tables that exist. Errors: none.

create or replace function pgq.maint_tables_to_vacuum()
returns setof text language plpgsql as $$
begin
    if pg_catalog.current_setting('autovacuum') = 'on' then
        return;
    end if;
    return query
        select t.name
          from pg_catalog.unnest(array[
                   'pgq.subscription', 'pgq.consumer', 'pgq.queue', 'pgq.tick', 'pgq.retry_queue',
                   'pgq_ext.completed_tick', 'pgq_ext.completed_batch', 'pgq_ext.completed_event', 'pgq_ext.partial_batch',
                   'pgq_node.local_state', 'londiste.seq_info', 'txid.epoch', 'londiste.completed'])
               with ordinality t (name, nr)
         where pg_catalog.to_regclass(t.name) is not null
         order by t.nr;
end;
$$;

comment on function pgq.maint_tables_to_vacuum() is 'tables that need an explicit vacuum when autovacuum is off';
