-- pgq_node.drop_node(queue, node): removes a node, the local one with its queue, or the traces of a remote one.
--   200 Node dropped: <n>            for unknown nodes too
--   405 Cannot drop provider node: <n>
-- Without a local node of the queue the call is taken for the local one and clears leftovers, the queue included.
-- A root tells the set about it (pgq.unregister-location) when it knew the node.

create or replace function pgq_node.drop_node(
    in i_queue_name text,
    in i_node_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_node      text;
    v_worker    text;
begin
    select n.node_name, n.worker_name into v_node, v_worker
        from pgq_node.node_info n where n.queue_name = i_queue_name for update;

    if v_node is null or v_node = i_node_name then
        delete from pgq_node.subscriber_info i where i.queue_name = i_queue_name;
        delete from pgq_node.local_state s where s.queue_name = i_queue_name;
        delete from pgq_node.node_info n where n.queue_name = i_queue_name;
        perform pgq.drop_queue(q.queue_name, true) from pgq.queue q where q.queue_name = i_queue_name;
        delete from pgq_node.node_location l where l.queue_name = i_queue_name and l.node_name <> i_node_name;
    else
        perform 1 from pgq_node.local_state s
            where s.queue_name = i_queue_name and s.consumer_name = v_worker and s.provider_node = i_node_name;
        if found then
            select 405, 'Cannot drop provider node: ' || i_node_name into ret_code, ret_note;
            return;
        end if;
    end if;

    perform 1 from pgq_node.node_location l where l.queue_name = i_queue_name and l.node_name = i_node_name;
    if found then
        perform pgq_node.unregister_location(i_queue_name, i_node_name);
    end if;

    perform pg_notify('skytools_node', i_queue_name);
    select 200, 'Node dropped: ' || i_node_name into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.drop_node(text, text) is
'Removes the local node with its queue, or what is known of a remote one: 200, 405 for the own provider.';
