-- pgq_node.get_node_info(queue) → one row about the local node: 100 Ok, 404 Unknown queue: q.
--   global_watermark  tick needed by nobody in the whole set any more; NULL on a leaf
--   local_watermark   the same for this node's own readers; on a leaf the worker's position
--   worker_last_tick  worker's position; on a root the newest tick, as the root is never behind itself
--   target_for        queues whose leaf in this database merges into this one, sorted; NULL when there are none
-- A missing worker, provider location or combined node leaves its columns NULL: the row serves status displays,
-- which have to work on half-made nodes too.

create or replace function pgq_node.get_node_info(
    in i_queue_name text,
    out ret_code integer,
    out ret_note text,
    out node_type text,
    out node_name text,
    out global_watermark bigint,
    out local_watermark bigint,
    out provider_node text,
    out provider_location text,
    out combined_queue text,
    out combined_type text,
    out worker_name text,
    out worker_paused boolean,
    out worker_uptodate boolean,
    out worker_last_tick bigint,
    out node_attrs text,
    out target_for text[])
returns record as $$
declare
    v_queue_id  integer;
    v_top_tick  bigint;
begin
    select n.node_type, n.node_name, n.worker_name, n.node_attrs, c.queue_name, c.node_type,
           s.provider_node, s.paused, s.uptodate, s.last_tick_id, l.node_location
        into node_type, node_name, worker_name, node_attrs, combined_queue, combined_type,
             provider_node, worker_paused, worker_uptodate, worker_last_tick, provider_location
        from pgq_node.node_info n
            left join pgq_node.node_info c on c.queue_name = n.combined_queue
            left join pgq_node.local_state s on s.queue_name = n.queue_name and s.consumer_name = n.worker_name
            left join pgq_node.node_location l on l.queue_name = n.queue_name and l.node_name = s.provider_node
        where n.queue_name = i_queue_name;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;
    select 100, 'Ok' into ret_code, ret_note;

    if node_type = 'leaf' then
        local_watermark := worker_last_tick;
        return;
    end if;

    select q.queue_id into v_queue_id from pgq.queue q where q.queue_name = i_queue_name;
    select t.tick_id into v_top_tick
        from pgq.tick t where t.tick_queue = v_queue_id order by t.tick_queue desc, t.tick_id desc limit 1;
    select max(s.sub_last_tick) filter (where c.co_name = '.global_watermark'),
           coalesce(min(s.sub_last_tick) filter (where c.co_name <> '.global_watermark'), v_top_tick)
        into global_watermark, local_watermark
        from pgq.subscription s join pgq.consumer c on c.co_id = s.sub_consumer
        where s.sub_queue = v_queue_id;
    if node_type = 'root' then
        worker_last_tick := v_top_tick;
    end if;

    select array_agg(m.queue_name order by m.queue_name) into target_for
        from pgq_node.node_info m
        where m.combined_queue = i_queue_name and m.node_type = 'leaf';
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.get_node_info(text) is
'One row about the local node of a queue: type, watermarks, provider, worker. 100, or 404 when there is no node.';
