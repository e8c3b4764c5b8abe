-- pgq_node.register_consumer(queue, consumer, provider, tick): makes a cascaded consumer known on its target side.
--   200 Consumer <c> registered on queue <q>
--   201 Consumer already registered: q/c    provider and position are overwritten all the same
--   404 Unknown queue: q
-- Errors: NULL tick (23502), provider that is no member of the set (23503).

create or replace function pgq_node.register_consumer(
    in i_queue_name text,
    in i_consumer_name text,
    in i_provider_node text,
    in i_custom_tick_id bigint,
    out ret_code integer,
    out ret_note text)
returns record as $$
begin
    perform 1 from pgq_node.node_info n where n.queue_name = i_queue_name for no key update;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    update pgq_node.local_state s
        set provider_node = i_provider_node, last_tick_id = i_custom_tick_id
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    if found then
        select 201, 'Consumer already registered: ' || i_queue_name || '/' || i_consumer_name into ret_code, ret_note;
    else
        insert into pgq_node.local_state (queue_name, consumer_name, provider_node, last_tick_id)
            values (i_queue_name, i_consumer_name, i_provider_node, i_custom_tick_id);
        select 200, 'Consumer ' || i_consumer_name || ' registered on queue ' || i_queue_name into ret_code, ret_note;
    end if;
    perform pg_notify('skytools_node', i_queue_name);
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.register_consumer(text, text, text, bigint) is
'Registers a cascaded consumer on its target side: 200, 201 when known (its position is overwritten), 404.';
