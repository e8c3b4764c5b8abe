-- pgq_node.set_subscriber_watermark(queue, node, tick): a subscriber node tells up to where its subtree is done.
--   200 .<node>.watermark set to <tick>
--   100 watermark already set
--   404 node <n> not subscribed to queue <q>
--   405 watermark must not be moved backwards
-- Errors: tick that is not in the queue (`cannot reposition, tick not found: n`).

create or replace function pgq_node.set_subscriber_watermark(
    in i_queue_name text,
    in i_node_name text,
    in i_watermark bigint,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_consumer  text := '.' || i_node_name || '.watermark';
    v_old       bigint;
begin
    select s.sub_last_tick into v_old
        from pgq.queue q
            join pgq.subscription s on s.sub_queue = q.queue_id
            join pgq.consumer c on c.co_id = s.sub_consumer
        where q.queue_name = i_queue_name and c.co_name = v_consumer
        for no key update of s;
    if not found then
        select 404, 'node ' || i_node_name || ' not subscribed to queue ' || i_queue_name into ret_code, ret_note;
    elsif v_old > i_watermark then
        select 405, 'watermark must not be moved backwards' into ret_code, ret_note;
    elsif v_old = i_watermark then
        select 100, 'watermark already set' into ret_code, ret_note;
    else
        perform pgq.register_consumer_at(i_queue_name, v_consumer, i_watermark);
        select 200, v_consumer || ' set to ' || i_watermark into ret_code, ret_note;
    end if;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.set_subscriber_watermark(text, text, bigint) is
'Moves the watermark of a subscriber node forward: 200, 100 unchanged, 404 not subscribed, 405 backwards.';
