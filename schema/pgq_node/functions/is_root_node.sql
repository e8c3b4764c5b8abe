-- pgq_node.is_root_node(queue) → true when this database is the queue's root.
-- Raises `queue does not exist: <queue>` when it has no node for the queue at all.
-- Runs with the caller's rights: readers, writers and admins can see the node table.

create or replace function pgq_node.is_root_node(i_queue_name text)
returns boolean as $$
declare
    v_type text;
begin
    select n.node_type into v_type from pgq_node.node_info n where n.queue_name = i_queue_name;
    if not found then
        raise exception 'queue does not exist: %', i_queue_name;
    end if;
    return v_type = 'root';
end;
$$ language plpgsql;

comment on function pgq_node.is_root_node(text) is
'True when the local node of the queue is its root; raises when there is no such node.';
