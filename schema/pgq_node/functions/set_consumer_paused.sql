-- pgq_node.set_consumer_paused(queue, consumer, flag): asks a consumer to stop before its next batch, or to go on.
--   200 Consumer <c> tagged as paused|resumed     uptodate becomes false until the consumer has seen it
--   201 Consumer <c> already paused|resumed       nothing changed
--   404 Unknown consumer: <c>
-- Errors: flag NULL (23502).

create or replace function pgq_node.set_consumer_paused(
    in i_queue_name text,
    in i_consumer_name text,
    in i_paused boolean,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_word  text := case when i_paused then 'paused' else 'resumed' end;
    v_old   boolean;
begin
    -- The row lock waits for a batch that is being committed, so that the answer is about the state after it.
    select s.paused into v_old
        from pgq_node.local_state s
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name
        for no key update;
    if not found then
        select 404, 'Unknown consumer: ' || i_consumer_name into ret_code, ret_note;
        return;
    end if;
    if v_old = i_paused then
        select 201, 'Consumer ' || i_consumer_name || ' already ' || v_word into ret_code, ret_note;
        return;
    end if;

    update pgq_node.local_state s
        set paused = i_paused, uptodate = false
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    perform pg_notify('skytools_node', i_queue_name);
    select 200, 'Consumer ' || i_consumer_name || ' tagged as ' || v_word into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function pgq_node.set_consumer_paused(text, text, boolean) is
'Pauses or resumes a cascaded consumer: 200, 201 when it already is, 404. A change clears uptodate.';
