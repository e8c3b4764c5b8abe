-- pgq_node.set_consumer_completed(queue, consumer, tick): moves the position and clears cur_error. To be called in
-- the transaction that writes the batch, which makes batch and position one.
--   100 Consumer <c> completed tick = <n>
--   404 Consumer not known: q/c
-- The tick is not compared with the old one: a resync may go back. Errors: tick NULL (23502).
-- No notification: it comes once per batch, and NOTIFY serialises commits.

create or replace function pgq_node.set_consumer_completed(
    in i_queue_name text,
    in i_consumer_name text,
    in i_tick_id bigint,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_row    constant text := 'local_state ' || i_queue_name || '/' || i_consumer_name;
    v_place  tid;
begin
    update pgq_node.local_state s
        set last_tick_id = i_tick_id, cur_error = null
        where s.ctid = skytools.row_place(v_row) and s.queue_name = i_queue_name and s.consumer_name = i_consumer_name
        returning s.ctid into v_place;
    if not found then
        update pgq_node.local_state s
            set last_tick_id = i_tick_id, cur_error = null
            where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name
            returning s.ctid into v_place;
    end if;
    if found then
        perform skytools.keep_row_place(v_row, v_place);
        select 100, 'Consumer ' || i_consumer_name || ' completed tick = ' || i_tick_id into ret_code, ret_note;
    else
        select 404, 'Consumer not known: ' || i_queue_name || '/' || i_consumer_name into ret_code, ret_note;
    end if;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.set_consumer_completed(text, text, bigint) is
'Moves the position of a cascaded consumer, in the transaction of the batch: 100, 404.';
