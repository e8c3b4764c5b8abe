-- pgq_node.set_global_watermark(queue, tick): nobody in the set needs ticks below this one.
--   root    NULL = own local watermark; moves .global_watermark, puts the root worker there and tells the set by
--           pgq.global-watermark (data tick, extra1 queue)
--   branch  500 bad usage: wm=null on branch node; a tick it lacks: 200 Skipping global watermark update to <n>
--   leaf    100 Ignoring global watermark in leaf
--   200 Global watermark set to <n>
--   404 Queue <q> not found
-- Errors: on a root a tick that is not in the queue, or a queue closed for writing (`Insert into queue disallowed`).

create or replace function pgq_node.set_global_watermark(
    in i_queue_name text,
    in i_watermark bigint,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_type      text;
    v_worker    text;
    v_watermark bigint := i_watermark;
begin
    select n.node_type, n.worker_name into v_type, v_worker
        from pgq_node.node_info n where n.queue_name = i_queue_name for no key update;
    if not found then
        select 404, 'Queue ' || i_queue_name || ' not found' into ret_code, ret_note;
        return;
    end if;

    if v_type = 'leaf' then
        select 100, 'Ignoring global watermark in leaf' into ret_code, ret_note;
        return;
    elsif v_type = 'branch' then
        if v_watermark is null then
            select 500, 'bad usage: wm=null on branch node' into ret_code, ret_note;
            return;
        end if;
        perform 1 from pgq.queue q join pgq.tick t on t.tick_queue = q.queue_id
            where q.queue_name = i_queue_name and t.tick_id = v_watermark;
        if not found then
            select 200, 'Skipping global watermark update to ' || v_watermark into ret_code, ret_note;
            return;
        end if;
    elsif v_watermark is null then
        select i.local_watermark into v_watermark from pgq_node.get_node_info(i_queue_name) i;
    end if;

    perform pgq.register_consumer_at(i_queue_name, '.global_watermark', v_watermark);
    if v_type = 'root' then
        perform pgq.insert_event(i_queue_name, 'pgq.global-watermark', v_watermark::text,
                                 i_queue_name, null, null, null);
        update pgq_node.local_state s
            set last_tick_id = v_watermark
            where s.queue_name = i_queue_name and s.consumer_name = v_worker;
    end if;
    select 200, 'Global watermark set to ' || v_watermark into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.set_global_watermark(text, bigint) is
'Moves the global watermark of the local node; a root publishes it: 200, 100 on a leaf, 404, 500.';
