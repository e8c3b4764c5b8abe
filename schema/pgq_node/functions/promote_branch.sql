-- pgq_node.promote_branch(queue): turns a branch into the root. Its worker must be paused by then.
--   200 Branch node promoted to root
--   301 Node not branch
--   404 Node not initialized for queue: q
-- Opens the queue for local events and ticks, continues tick ids after the newest tick; event ids were raised by each
-- mirrored tick. The worker becomes its own provider.

create or replace function pgq_node.promote_branch(
    in i_queue_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_type      text;
    v_node      text;
    v_worker    text;
    v_queue     record;
    v_last_tick bigint;
begin
    select n.node_type, n.node_name, n.worker_name into v_type, v_node, v_worker
        from pgq_node.node_info n where n.queue_name = i_queue_name for update;
    if not found then
        select 404, 'Node not initialized for queue: ' || i_queue_name into ret_code, ret_note;
        return;
    elsif v_type <> 'branch' then
        select 301, 'Node not branch' into ret_code, ret_note;
        return;
    end if;

    update pgq.queue q
        set queue_disable_insert = false, queue_external_ticker = false
        where q.queue_name = i_queue_name
        returning q.queue_id, q.queue_tick_seq into strict v_queue;
    perform skytools.note_closing(v_queue.queue_id, false);
    select t.tick_id into strict v_last_tick
        from pgq.tick t where t.tick_queue = v_queue.queue_id
        order by t.tick_queue desc, t.tick_id desc limit 1;
    perform pgq.seq_setval(v_queue.queue_tick_seq, v_last_tick);

    update pgq_node.node_info n set node_type = 'root' where n.queue_name = i_queue_name;
    update pgq_node.local_state s
        set provider_node = v_node, last_tick_id = v_last_tick, uptodate = false
        where s.queue_name = i_queue_name and s.consumer_name = v_worker;
    perform pg_notify('skytools_node', i_queue_name);
    select 200, 'Branch node promoted to root' into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.promote_branch(text) is 'Turns a branch into the root of the set: 200, 301, 404.';
