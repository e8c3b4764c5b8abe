-- pgq_node.unregister_consumer(queue, consumer): forgets a cascaded consumer on its target side.
--   200 Consumer <c> unregistered from <q>    also when it was not registered
--   404 Unknown queue: q

create or replace function pgq_node.unregister_consumer(
    in i_queue_name text,
    in i_consumer_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
begin
    perform 1 from pgq_node.node_info n where n.queue_name = i_queue_name for no key update;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;
    delete from pgq_node.local_state s where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    if found then
        perform pg_notify('skytools_node', i_queue_name);
    end if;
    select 200, 'Consumer ' || i_consumer_name || ' unregistered from ' || i_queue_name into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.unregister_consumer(text, text) is
'Forgets a cascaded consumer on its target side: 200, 404 when the queue is unknown.';
