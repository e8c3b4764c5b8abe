-- londiste.get_table_list(queue) → setof rows of londiste.table_info in order of nr.
-- copy_role and copy_pos, how to copy beside other parts of a merged table, come from londiste._coordinate_copy while
-- a copy runs; else NULL and 0.

create or replace function londiste.get_table_list(
    in i_queue_name text,
    out table_name text,
    out local boolean,
    out merge_state text,
    out custom_snapshot text,
    out table_attrs text,
    out dropped_ddl text,
    out copy_role text,
    out copy_pos integer,
    out dest_table text)
returns setof record as $$
begin
    return query
        select t.table_name, t.local, t.merge_state, t.custom_snapshot, t.table_attrs, t.dropped_ddl,
               c.copy_role, coalesce(c.copy_pos, 0), t.dest_table
        from londiste.table_info t
            left join lateral londiste._coordinate_copy(i_queue_name, t.table_name) c
                on t.merge_state in ('in-copy', 'catching-up')
        where t.queue_name = i_queue_name
        order by t.nr, t.table_name;
end;
$$ language plpgsql stable strict;

comment on function londiste.get_table_list(text) is
'Tables of the set in order of registration, with their copy state.';
