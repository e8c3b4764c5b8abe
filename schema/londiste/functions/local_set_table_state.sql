-- londiste.local_set_table_state(queue, table, snapshot, merge_state): stores where the copy of a table used here
-- stands. NULL, NULL asks for a new copy.
--   200 Table t state set to '<state>' | Table t state set to NULL
--   404 No such table: t
-- Errors: 23514 for another state than in-copy and catching-up while dropped_ddl is stored.

create or replace function londiste.local_set_table_state(
    in i_queue_name text,
    in i_table_name text,
    in i_snapshot text,
    in i_merge_state text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_table text := londiste.make_fqname(i_table_name);
begin
    update londiste.table_info t
        set custom_snapshot = i_snapshot, merge_state = i_merge_state
        where t.queue_name = i_queue_name and t.table_name = v_table and t.local;
    if found then
        select 200, 'Table ' || v_table || ' state set to ' || quote_nullable(i_merge_state) into ret_code, ret_note;
    else
        select 404, 'No such table: ' || v_table into ret_code, ret_note;
    end if;
end;
$$ language plpgsql;

comment on function londiste.local_set_table_state(text, text, text, text) is
'Stores copy state and snapshot of a table used on this node: 200, 404.';
