-- londiste.find_table_fkeys(table) → setof londiste.pending_fkeys: foreign keys from or to the table, with the complete
-- statement that makes each. search_path is pinned so that the statement names every table with its schema and can be
-- run under any path. Copies of a partitioned table's key on its partitions follow the key itself and are not listed.

create or replace function londiste.find_table_fkeys(i_table_name text)
returns setof londiste.pending_fkeys as $$
declare
    v_table oid := londiste.find_table_oid(i_table_name);
begin
    return query
        select nf.nspname || '.' || cf.relname, nt.nspname || '.' || ct.relname, k.conname::text,
               'alter table ' || case when cf.relkind = 'p' then '' else 'only ' end
                   || quote_ident(nf.nspname) || '.' || quote_ident(cf.relname)
                   || ' add constraint ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid)
        from pg_constraint k
            join pg_class cf on cf.oid = k.conrelid
            join pg_namespace nf on nf.oid = cf.relnamespace
            join pg_class ct on ct.oid = k.confrelid
            join pg_namespace nt on nt.oid = ct.relnamespace
        where k.contype = 'f' and k.conparentid = 0 and v_table in (k.conrelid, k.confrelid)
        order by 1, 3;
end;
$$ language plpgsql stable strict set search_path = pg_catalog;

comment on function londiste.find_table_fkeys(text) is
'Foreign keys from or to a table, with the statement that makes each.';
