-- londiste.list_obsolete_partitions(parent, retention, period) → setof quoted names, ordered: tables named like
-- partitions of the parent for that period whose date lies more than `retention` back.
-- Periods, suffixes, errors: londiste.is_obsolete_partition.

create or replace function londiste.list_obsolete_partitions(
    i_parent_table text,
    i_retention_period interval,
    i_partition_period text)
returns setof text as $$
declare
    v_parent record;
begin
    -- Raises for a bad period even when no table would be looked at.
    perform londiste.is_obsolete_partition(i_parent_table, i_retention_period, i_partition_period);

    select f.schema_part, f.name_part into v_parent from londiste.split_fqname(i_parent_table) f;
    return query
        select quote_ident(n.nspname) || '.' || quote_ident(c.relname)
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname = v_parent.schema_part
            and left(c.relname, length(v_parent.name_part)) = v_parent.name_part
            and substr(c.relname, length(v_parent.name_part) + 1) ~ '^_[0-9]{4}(_[0-9]{2}){0,3}$'
            and londiste.is_obsolete_partition(
                    n.nspname || '.' || c.relname, i_retention_period, i_partition_period)
        order by c.relname;
end;
$$ language plpgsql;

comment on function londiste.list_obsolete_partitions(text, interval, text) is
'Quoted names of the parent''s partitions that are older than the retention period.';
