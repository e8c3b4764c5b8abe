-- pgq_node.set_node_attrs(queue, attrs): stores the node's attributes, an urlencoded string or NULL.
--   200 Node attributes updated
--   404 Node not found

create or replace function pgq_node.set_node_attrs(
    in i_queue_name text,
    in i_node_attrs text,
    out ret_code integer,
    out ret_note text)
returns record as $$
begin
    update pgq_node.node_info n set node_attrs = i_node_attrs where n.queue_name = i_queue_name;
    if not found then
        select 404, 'Node not found' into ret_code, ret_note;
        return;
    end if;
    perform pg_notify('skytools_node', i_queue_name);
    select 200, 'Node attributes updated' into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.set_node_attrs(text, text) is 'Stores the node''s urlencoded attributes: 200, 404.';
