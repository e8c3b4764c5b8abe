-- pgq_node.unregister_subscriber(queue, node): a remote node no longer reads from this one; its reading position
-- and its watermark go.
--   200 Subscriber unregistered: <node>
--   304 Subscriber not found

create or replace function pgq_node.unregister_subscriber(
    in i_queue_name text,
    in i_remote_node_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_worker    text;
    v_watermark text;
begin
    perform 1 from pgq_node.node_info n where n.queue_name = i_queue_name for no key update;

    -- The row goes first: its foreign keys would keep pgq from dropping the last use of a consumer name.
    delete from pgq_node.subscriber_info i
        where i.queue_name = i_queue_name and i.subscriber_node = i_remote_node_name
        returning i.worker_name, i.watermark_name into v_worker, v_watermark;
    if not found then
        select 304, 'Subscriber not found' into ret_code, ret_note;
        return;
    end if;
    perform pgq.unregister_consumer(i_queue_name, v_watermark);
    perform pgq.unregister_consumer(i_queue_name, v_worker);

    perform pg_notify('skytools_node', i_queue_name);
    select 200, 'Subscriber unregistered: ' || i_remote_node_name into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.unregister_subscriber(text, text) is
'Ends the subscription of a remote node, its watermark included: 200, 304 when there is none.';
