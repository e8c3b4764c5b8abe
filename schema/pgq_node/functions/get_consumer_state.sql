-- pgq_node.get_consumer_state(queue, consumer) → what a cascaded consumer has to know before its next batch.
--   100 Ok
--   404 Unknown queue: q | Unknown consumer: q/c | Unknown provider node: q/p
-- Columns known up to the point of failure are filled.

create or replace function pgq_node.get_consumer_state(
    in i_queue_name text,
    in i_consumer_name text,
    out ret_code integer,
    out ret_note text,
    out node_type text,
    out node_name text,
    out completed_tick bigint,
    out provider_node text,
    out provider_location text,
    out paused boolean,
    out uptodate boolean,
    out cur_error text)
returns record as $$
begin
    select n.node_type, n.node_name into node_type, node_name
        from pgq_node.node_info n where n.queue_name = i_queue_name;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    select s.last_tick_id, s.provider_node, s.paused, s.uptodate, s.cur_error
        into completed_tick, provider_node, paused, uptodate, cur_error
        from pgq_node.local_state s
        where s.ctid = skytools.row_place('local_state ' || i_queue_name || '/' || i_consumer_name)
            and s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    if not found then
        select s.last_tick_id, s.provider_node, s.paused, s.uptodate, s.cur_error
            into completed_tick, provider_node, paused, uptodate, cur_error
            from pgq_node.local_state s
            where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    end if;
    if not found then
        select 404, 'Unknown consumer: ' || i_queue_name || '/' || i_consumer_name into ret_code, ret_note;
        return;
    end if;

    select l.node_location into provider_location
        from pgq_node.node_location l
        where l.queue_name = i_queue_name and l.node_name = provider_node;
    if not found then
        select 404, 'Unknown provider node: ' || i_queue_name || '/' || provider_node into ret_code, ret_note;
        return;
    end if;

    select 100, 'Ok' into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.get_consumer_state(text, text) is
'Position, provider and flags of a cascaded consumer: 100, or 404 when queue, consumer or provider is unknown.';
