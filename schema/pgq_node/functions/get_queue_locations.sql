-- pgq_node.get_queue_locations(queue) → setof (node_name, node_location, dead): all members of the set, unordered.

create or replace function pgq_node.get_queue_locations(
    in i_queue_name text,
    out node_name text,
    out node_location text,
    out dead boolean)
returns setof record as $$
begin
    return query
        select l.node_name, l.node_location, l.dead
        from pgq_node.node_location l
        where l.queue_name = i_queue_name;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.get_queue_locations(text) is 'All known members of the set, with their connect strings.';
