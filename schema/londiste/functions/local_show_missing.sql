-- londiste.local_show_missing(queue) → setof (obj_kind, obj_name), ordered: what could be added on this node.
--   root       tables (r) and sequences (S) of the database that are not registered; a partition of a registered
--              partitioned table counts as registered
--   elsewhere  what the set has and this node does not use
-- Raises `queue does not exist: q` without a node.

create or replace function londiste.local_show_missing(
    in i_queue_name text,
    out obj_kind text,
    out obj_name text)
returns setof record as $$
begin
    if not pgq_node.is_root_node(i_queue_name) then
        return query
            select 'r'::text, t.table_name from londiste.table_info t
                where t.queue_name = i_queue_name and not t.local
            union all
            select 'S'::text, s.seq_name from londiste.seq_info s
                where s.queue_name = i_queue_name and not s.local
            order by 1, 2;
        return;
    end if;

    return query
        with used as (
            select londiste.find_table_oid(coalesce(t.dest_table, t.table_name)) as relid
                from londiste.table_info t where t.queue_name = i_queue_name and t.local
            union all
            select londiste.find_seq_oid(s.seq_name)
                from londiste.seq_info s where s.queue_name = i_queue_name and s.local)
        select c.relkind::text, n.nspname || '.' || c.relname
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'S')
            and n.nspname not in ('pgq', 'pgq_ext', 'pgq_node', 'londiste', 'skytools',
                                  'pg_catalog', 'information_schema')
            and n.nspname !~ '^pg_(toast|temp)'
            and not exists (select 1 from used u where u.relid = c.oid)
            and not exists (
                select 1 from used u
                where c.relispartition
                    and u.relid in (select a.relid from pg_catalog.pg_partition_ancestors(c.oid) a))
        order by 1, 2;
end;
$$ language plpgsql stable strict;

comment on function londiste.local_show_missing(text) is
'Tables and sequences that could be added on this node.';
