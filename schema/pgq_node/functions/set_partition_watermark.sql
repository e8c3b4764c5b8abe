-- pgq_node.set_partition_watermark(combined_queue, part_queue, tick): on a branch of a combined queue the data of the
-- parts arrives through that queue; its pgq.tick-id events move the merge leaf's worker along with it.
--   200 Ok
--   201 Part-queue does not exist       no leaf here that merges into this queue, or the queue is no branch here
--   401 Worker registration not found

create or replace function pgq_node.set_partition_watermark(
    in i_combined_queue_name text,
    in i_part_queue_name text,
    in i_watermark bigint,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_worker  text;
    v_row     text;
    v_place   tid;
begin
    select p.worker_name into v_worker
        from pgq_node.node_info c join pgq_node.node_info p on p.combined_queue = c.queue_name
        where c.queue_name = i_combined_queue_name and c.node_type = 'branch'
            and p.queue_name = i_part_queue_name and p.node_type = 'leaf';
    if not found then
        select 201, 'Part-queue does not exist' into ret_code, ret_note;
        return;
    end if;

    v_row := 'local_state ' || i_part_queue_name || '/' || v_worker;
    update pgq_node.local_state s
        set last_tick_id = i_watermark
        where s.ctid = skytools.row_place(v_row) and s.queue_name = i_part_queue_name and s.consumer_name = v_worker
        returning s.ctid into v_place;
    if not found then
        update pgq_node.local_state s
            set last_tick_id = i_watermark
            where s.queue_name = i_part_queue_name and s.consumer_name = v_worker
            returning s.ctid into v_place;
    end if;
    if found then
        perform skytools.keep_row_place(v_row, v_place);
        select 200, 'Ok' into ret_code, ret_note;
    else
        select 401, 'Worker registration not found' into ret_code, ret_note;
    end if;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.set_partition_watermark(text, text, bigint) is
'Moves the worker of a merge leaf behind its combined branch: 200, 201 when there is no such leaf, 401.';
