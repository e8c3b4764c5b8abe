-- pgq_node.register_subscriber(queue, node, worker, tick): lets a remote node read from this one.
--   200 Subscriber registered: <node>, with the global watermark, where a new node starts
--   401 Cannot subscribe to leaf node
--   404 Unknown queue: q
-- Registers `.<node>.watermark` at the global watermark and the worker at `tick`, or there too when NULL.
-- Errors: tick that is not in the queue (`cannot reposition, tick not found: n`), node already subscribed (23505),
-- node that is no member of the set (23503).

create or replace function pgq_node.register_subscriber(
    in i_queue_name text,
    in i_remote_node_name text,
    in i_remote_worker_name text,
    in i_custom_tick_id bigint,
    out ret_code integer,
    out ret_note text,
    out global_watermark bigint)
returns record as $$
declare
    v_type      text;
    v_watermark text := '.' || i_remote_node_name || '.watermark';
begin
    select n.node_type into v_type
        from pgq_node.node_info n where n.queue_name = i_queue_name for no key update;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;
    if v_type = 'leaf' then
        select 401, 'Cannot subscribe to leaf node' into ret_code, ret_note;
        return;
    end if;

    select i.global_watermark into global_watermark from pgq_node.get_node_info(i_queue_name) i;
    perform pgq.register_consumer_at(i_queue_name, v_watermark, global_watermark);
    perform pgq.register_consumer_at(i_queue_name, i_remote_worker_name, coalesce(i_custom_tick_id, global_watermark));
    insert into pgq_node.subscriber_info (queue_name, subscriber_node, worker_name, watermark_name)
        values (i_queue_name, i_remote_node_name, i_remote_worker_name, v_watermark);

    perform pg_notify('skytools_node', i_queue_name);
    select 200, 'Subscriber registered: ' || i_remote_node_name into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.register_subscriber(text, text, text, bigint) is
'Lets a remote node read from this one: 200 with the global watermark, 401 on a leaf, 404.';
