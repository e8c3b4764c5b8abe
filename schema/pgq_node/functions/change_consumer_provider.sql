-- pgq_node.change_consumer_provider(queue, consumer, node): the consumer shall read from another node.
--   200 Consumer provider node set to : <n>
--   404 New node not found: <n> | Unknown consumer: q/c
-- uptodate becomes false until the consumer has seen the change.

create or replace function pgq_node.change_consumer_provider(
    in i_queue_name text,
    in i_consumer_name text,
    in i_new_provider text,
    out ret_code integer,
    out ret_note text)
returns record as $$
begin
    perform 1 from pgq_node.node_info n where n.queue_name = i_queue_name for no key update;

    perform 1 from pgq_node.node_location l where l.queue_name = i_queue_name and l.node_name = i_new_provider;
    if not found then
        select 404, 'New node not found: ' || i_new_provider into ret_code, ret_note;
        return;
    end if;

    update pgq_node.local_state s
        set provider_node = i_new_provider, uptodate = false
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    if not found then
        select 404, 'Unknown consumer: ' || i_queue_name || '/' || i_consumer_name into ret_code, ret_note;
        return;
    end if;
    perform pg_notify('skytools_node', i_queue_name);
    select 200, 'Consumer provider node set to : ' || i_new_provider into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.change_consumer_provider(text, text, text) is
'Lets a cascaded consumer read from another node: 200, 404. Clears uptodate.';
