-- londiste.local_set_table_struct(queue, table, ddl): stores the DDL to run after the copy of a table used here, or
-- NULL when it ran.
--   200 Table struct stored
--   404 no such local table: t
-- Errors: 23514 unless the table is in-copy or catching-up (or has no state yet).

create or replace function londiste.local_set_table_struct(
    in i_queue_name text,
    in i_table_name text,
    in i_dropped_ddl text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_table text := londiste.make_fqname(i_table_name);
begin
    update londiste.table_info t
        set dropped_ddl = i_dropped_ddl
        where t.queue_name = i_queue_name and t.table_name = v_table and t.local;
    if found then
        select 200, 'Table struct stored' into ret_code, ret_note;
    else
        select 404, 'no such local table: ' || v_table into ret_code, ret_note;
    end if;
end;
$$ language plpgsql;

comment on function londiste.local_set_table_struct(text, text, text) is
'Stores the DDL to run after the copy of a table used on this node: 200, 404.';
