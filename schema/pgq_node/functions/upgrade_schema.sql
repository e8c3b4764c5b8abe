-- pgq_node.upgrade_schema() → number of changes made: adds what tables of earlier levels lack. Idempotent.

create or replace function pgq_node.upgrade_schema()
returns integer as $$
declare
    n_changes integer := 0;
begin
    perform 1 from pg_catalog.pg_attribute
        where attrelid = 'pgq_node.node_info'::pg_catalog.regclass and attname = 'node_attrs' and not attisdropped;
    if not found then
        alter table pgq_node.node_info add column node_attrs text;
        n_changes := n_changes + 1;
    end if;
    return n_changes;
end;
$$ language plpgsql;

comment on function pgq_node.upgrade_schema() is
'Adds what tables of earlier levels lack. Returns the number of changes; safe to repeat.';
