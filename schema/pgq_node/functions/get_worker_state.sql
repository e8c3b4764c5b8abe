-- pgq_node.get_worker_state(queue) → what the node's worker has to know before its next batch.
--   100 Ok
--   404 Unknown queue: q | Unknown consumer: q/<worker> | Unknown provider node: q/p | Combined queue node not found: q
-- completed_tick is the stored position, on a root too. Watermarks: see get_node_info. local_queue_top: newest tick
-- of the local queue, NULL on a leaf.

create or replace function pgq_node.get_worker_state(
    in i_queue_name text,
    out ret_code integer,
    out ret_note text,
    out node_type text,
    out node_name text,
    out completed_tick bigint,
    out provider_node text,
    out provider_location text,
    out paused boolean,
    out uptodate boolean,
    out cur_error text,
    out worker_name text,
    out global_watermark bigint,
    out local_watermark bigint,
    out local_queue_top bigint,
    out combined_queue text,
    out combined_type text)
returns record as $$
begin
    select n.node_type, n.node_name, n.worker_name, n.combined_queue
        into node_type, node_name, worker_name, combined_queue
        from pgq_node.node_info n where n.queue_name = i_queue_name;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    select c.ret_code, c.ret_note, c.completed_tick, c.provider_node, c.provider_location,
           c.paused, c.uptodate, c.cur_error
        into ret_code, ret_note, completed_tick, provider_node, provider_location, paused, uptodate, cur_error
        from pgq_node.get_consumer_state(i_queue_name, worker_name) c;
    if ret_code <> 100 then
        return;
    end if;

    if combined_queue is not null then
        select c.node_type into combined_type
            from pgq_node.node_info c where c.queue_name = get_worker_state.combined_queue;
        if not found then
            select 404, 'Combined queue node not found: ' || combined_queue into ret_code, ret_note;
            return;
        end if;
    end if;

    select n.global_watermark, n.local_watermark into global_watermark, local_watermark
        from pgq_node.get_node_info(i_queue_name) n;
    if node_type <> 'leaf' then
        select t.tick_id into local_queue_top
            from pgq.queue q join pgq.tick t on t.tick_queue = q.queue_id
            where q.queue_name = i_queue_name
            order by t.tick_queue desc, t.tick_id desc limit 1;
    end if;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.get_worker_state(text) is
'What the worker of the local node has to know before its next batch: 100, or 404 naming what is missing.';
