-- pgq_node.set_consumer_uptodate(queue, consumer, flag): the consumer's answer to a changed flag or provider.
--   200 Consumer uptodate = 0|1
--   404 Consumer not known: q/c
-- Errors: flag NULL (23502).

create or replace function pgq_node.set_consumer_uptodate(
    in i_queue_name text,
    in i_consumer_name text,
    in i_uptodate boolean,
    out ret_code integer,
    out ret_note text)
returns record as $$
begin
    update pgq_node.local_state s
        set uptodate = i_uptodate
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    if not found then
        select 404, 'Consumer not known: ' || i_queue_name || '/' || i_consumer_name into ret_code, ret_note;
        return;
    end if;
    perform pg_notify('skytools_node', i_queue_name);
    select 200, 'Consumer uptodate = ' || i_uptodate::integer into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.set_consumer_uptodate(text, text, boolean) is
'Tells that a cascaded consumer has seen its latest flags and provider: 200, 404.';
