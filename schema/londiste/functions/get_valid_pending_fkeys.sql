-- londiste.get_valid_pending_fkeys(queue) → setof londiste.pending_fkeys: keys this queue's worker may restore now.
-- Both tables are used here and every set that feeds one of them has it `ok` with no snapshot left, so that no half
-- copied state can break the key. One worker is chosen per key: of the queues that feed its tables the first leaf
-- merging into a root, else the branch such leaves wait behind, else the smallest name.

create or replace function londiste.get_valid_pending_fkeys(i_queue_name text)
returns setof londiste.pending_fkeys as $$
begin
    return query
        select p.*
        from londiste.pending_fkeys p
            cross join lateral (
                select bool_and(t.merge_state is not distinct from 'ok' and t.custom_snapshot is null) as ready,
                       bool_or(coalesce(t.dest_table, t.table_name) = p.from_table) as has_from,
                       bool_or(coalesce(t.dest_table, t.table_name) = p.to_table) as has_to,
                       bool_or(t.queue_name = i_queue_name) as is_ours,
                       (array_agg(
                           case when n.node_type = 'leaf' and c.node_type = 'branch' then c.queue_name
                                else t.queue_name end
                           order by
                           case when n.node_type = 'leaf' and c.node_type = 'root' then 1
                                when n.node_type = 'leaf' and c.node_type = 'branch' then 2
                                else 3 end, t.queue_name))[1] as elected
                from londiste.table_info t
                    join pgq_node.node_info n on n.queue_name = t.queue_name
                    left join pgq_node.node_info c on c.queue_name = n.combined_queue
                where t.local and coalesce(t.dest_table, t.table_name) in (p.from_table, p.to_table)) u
        where u.ready and u.has_from and u.has_to and u.is_ours and u.elected = i_queue_name
        order by p.from_table, p.fkey_name;
end;
$$ language plpgsql stable strict;

comment on function londiste.get_valid_pending_fkeys(text) is
'Dropped foreign keys that the worker of this queue may restore now.';
