-- pgq.tune_storage(queue) → integer, 1; 0 for an unknown queue
-- Event rows are never updated and go by TRUNCATE: pages are filled up, and autovacuum has nothing to do there.
-- Errors: 42501 not the owner of the tables.

create or replace function pgq.tune_storage(i_queue_name text)
returns integer language plpgsql strict as $$
declare
    q record;
begin
    select queue_ntables, queue_data_pfx into q from pgq.queue where queue_name = i_queue_name;
    if not found then
        return 0;
    end if;
    for i in 0 .. q.queue_ntables - 1 loop
        execute 'alter table ' || pgq.quote_fqname(q.queue_data_pfx || '_' || i)
             || ' set (fillfactor = 100, autovacuum_enabled = off, toast.autovacuum_enabled = off)';
    end loop;
    return 1;
end;
$$;

comment on function pgq.tune_storage(text) is 'storage parameters of a queue''s event tables';
