-- pgq_node.maint_watermark(queue) → 0: entry of the ticker's maintenance list. On a root whose global watermark is
-- five minutes old it sets it anew, so that rotation goes on when the root's worker is down.
-- A node that somebody else is changing right now, or whose queue is closed for writing (a demotion under way, where
-- publishing would fail), is left for the next round: one such queue must not stop the list.

create or replace function pgq_node.maint_watermark(i_queue_name text)
returns integer as $$
begin
    perform 1
        from pgq_node.node_info n join pgq.queue q on q.queue_name = n.queue_name
        where n.queue_name = i_queue_name and n.node_type = 'root' and not q.queue_disable_insert
        for no key update of n skip locked;
    if not found then
        return 0;
    end if;

    perform 1 from pgq.get_consumer_info(i_queue_name, '.global_watermark') c where c.lag >= interval '5 minutes';
    if found then
        perform pgq_node.set_global_watermark(i_queue_name, null);
    end if;
    return 0;
end;
$$ language plpgsql;

comment on function pgq_node.maint_watermark(text) is
'Maintenance: publishes the global watermark of a root when it is older than five minutes. Always 0.';
