-- londiste.drop_obsolete_partitions(parent, retention, period) → setof quoted names: drops what
-- londiste.list_obsolete_partitions lists.

create or replace function londiste.drop_obsolete_partitions(
    i_parent_table text,
    i_retention_period interval,
    i_partition_period text)
returns setof text as $$
declare
    v_part text;
begin
    for v_part in
        select p from londiste.list_obsolete_partitions(i_parent_table, i_retention_period, i_partition_period) p
    loop
        execute 'drop table ' || v_part;
        return next v_part;
    end loop;
end;
$$ language plpgsql;

comment on function londiste.drop_obsolete_partitions(text, interval, text) is
'Drops the parent''s partitions that are older than the retention period and returns their quoted names.';
