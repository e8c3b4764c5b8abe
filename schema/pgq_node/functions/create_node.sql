-- pgq_node.create_node(queue, type, node, worker, provider, global_watermark, combined_queue): makes this database a
-- node of the set. Its own location must have been registered before (23503 otherwise).
--   root    provider, global_watermark, combined_queue must be NULL; an existing queue is taken over
--   branch  needs provider and global_watermark; the queue starts with that tick, closed for local events and ticks
--   leaf    no queue; global_watermark is where the worker starts; combined_queue must exist when given
--   200 Node "<n>" initialized for queue "<q>" with type "<t>"
--   401 Node already initialized | unexpected args for root | provider not set for branch
--       | global watermark not set for branch | non-existing queue on leaf side: <q> | bad node type: <t>
-- A code of 4xx may come after a queue was made: the caller rolls back.

create or replace function pgq_node.create_node(
    in i_queue_name text,
    in i_node_type text,
    in i_node_name text,
    in i_worker_name text,
    in i_provider_name text,
    in i_global_watermark bigint,
    in i_combined_queue text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_position bigint := i_global_watermark;
begin
    perform 1 from pgq_node.node_info n where n.queue_name = i_queue_name;
    if found then
        select 401, 'Node already initialized' into ret_code, ret_note;
        return;
    end if;

    if i_node_type = 'root' then
        if coalesce(i_provider_name, i_global_watermark::text, i_combined_queue) is not null then
            select 401, 'unexpected args for root' into ret_code, ret_note;
            return;
        end if;
        perform pgq.create_queue(i_queue_name);
        perform pgq.register_consumer(i_queue_name, '.global_watermark');
        select c.last_tick into v_position from pgq.get_consumer_info(i_queue_name, '.global_watermark') c;

    elsif i_node_type = 'branch' then
        if i_provider_name is null then
            select 401, 'provider not set for branch' into ret_code, ret_note;
            return;
        elsif i_global_watermark is null then
            select 401, 'global watermark not set for branch' into ret_code, ret_note;
            return;
        end if;
        perform pgq.create_queue(i_queue_name);
        update pgq.queue q
            set queue_external_ticker = true, queue_disable_insert = true
            where q.queue_name = i_queue_name;
        -- create_queue made tick 1; event ids of the set are not known here yet.
        if i_global_watermark > 1 then
            perform pgq.ticker(i_queue_name, i_global_watermark, now(), 1);
        end if;
        perform pgq.register_consumer_at(i_queue_name, '.global_watermark', i_global_watermark);

    elsif i_node_type = 'leaf' then
        if i_combined_queue is not null then
            perform 1 from pgq.queue q where q.queue_name = i_combined_queue;
            if not found then
                select 401, 'non-existing queue on leaf side: ' || i_combined_queue into ret_code, ret_note;
                return;
            end if;
        end if;

    else
        select 401, 'bad node type: ' || i_node_type into ret_code, ret_note;
        return;
    end if;

    insert into pgq_node.node_info (queue_name, node_type, node_name, worker_name, combined_queue)
        values (i_queue_name, i_node_type, i_node_name, i_worker_name, i_combined_queue);
    select r.ret_code, r.ret_note into ret_code, ret_note
        from pgq_node.register_consumer(
            i_queue_name, i_worker_name,
            case when i_node_type = 'root' then i_node_name else i_provider_name end, v_position) r;
    if ret_code <> 200 then
        return;
    end if;
    ret_note := 'Node "' || i_node_name || '" initialized for queue "' || i_queue_name
        || '" with type "' || i_node_type || '"';
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.create_node(text, text, text, text, text, bigint, text) is
'Makes this database a node of the set, as root, branch or leaf: 200, or 401 with the reason.';
