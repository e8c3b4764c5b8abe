-- pgq_node.unregister_location(queue, node): forgets a member of the set, its subscription here included.
--   200 Ok
--   301 Location not found: q/n
--   403 Cannot drop node's own location | Cannot drop location of node's parent
-- A root passes it on as pgq.unregister-location (data node, extra1 queue), also with 301: other nodes may still
-- hold a row this one lost. Works without a local node, to clean up leftovers.

create or replace function pgq_node.unregister_location(
    in i_queue_name text,
    in i_node_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_node      record;
    v_provider  text;
begin
    select n.node_type, n.node_name, n.worker_name into v_node
        from pgq_node.node_info n where n.queue_name = i_queue_name for no key update;
    if found then
        if v_node.node_name = i_node_name then
            select 403, 'Cannot drop node''s own location' into ret_code, ret_note;
            return;
        end if;
        select s.provider_node into v_provider
            from pgq_node.local_state s
            where s.queue_name = i_queue_name and s.consumer_name = v_node.worker_name;
        if v_provider = i_node_name then
            select 403, 'Cannot drop location of node''s parent' into ret_code, ret_note;
            return;
        end if;
        perform 1 from pgq_node.unregister_subscriber(i_queue_name, i_node_name);
    end if;

    delete from pgq_node.node_location l where l.queue_name = i_queue_name and l.node_name = i_node_name;
    if found then
        select 200, 'Ok' into ret_code, ret_note;
    else
        select 301, 'Location not found: ' || i_queue_name || '/' || i_node_name into ret_code, ret_note;
    end if;

    if v_node.node_type = 'root' then
        perform pgq.insert_event(i_queue_name, 'pgq.unregister-location', i_node_name, i_queue_name, null, null, null);
    end if;
    perform pg_notify('skytools_node', i_queue_name);
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.unregister_location(text, text) is
'Forgets a member of the set: 200, 301 when unknown, 403 for the own node or its provider.';
