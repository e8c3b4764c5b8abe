-- londiste.execute_finish(queue, file): the script begun by londiste.execute_start has run. A root sends it to the set
-- as event EXECUTE: data script, extra1 file name, extra2 attributes.
--   200 Execute finished: f
--   404 execute_file called without execute_start
-- Raises `queue does not exist: q` without a node.

create or replace function londiste.execute_finish(
    in i_queue_name text,
    in i_file_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_root  boolean := pgq_node.is_root_node(i_queue_name);
    v_sql   text;
    v_attrs text;
begin
    select e.execute_sql, e.execute_attrs into v_sql, v_attrs
        from londiste.applied_execute e where e.execute_file = i_file_name;
    if not found then
        select 404, 'execute_file called without execute_start' into ret_code, ret_note;
        return;
    end if;
    if v_root then
        perform pgq.insert_event(i_queue_name, 'EXECUTE', v_sql, i_file_name, v_attrs, null, null);
    end if;
    select 200, 'Execute finished: ' || i_file_name into ret_code, ret_note;
end;
$$ language plpgsql strict;

comment on function londiste.execute_finish(text, text) is
'Ends a script begun by execute_start; a root sends it to all nodes: 200, 404.';
