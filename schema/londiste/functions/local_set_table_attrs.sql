-- londiste.local_set_table_attrs(queue, table, attrs): stores the urlencoded attributes of a table used here.
--   200 t: Table attributes stored
--   404 no such local table: t

create or replace function londiste.local_set_table_attrs(
    in i_queue_name text,
    in i_table_name text,
    in i_table_attrs text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_table text := londiste.make_fqname(i_table_name);
begin
    update londiste.table_info t
        set table_attrs = i_table_attrs
        where t.queue_name = i_queue_name and t.table_name = v_table and t.local;
    if found then
        select 200, v_table || ': Table attributes stored' into ret_code, ret_note;
    else
        select 404, 'no such local table: ' || v_table into ret_code, ret_note;
    end if;
end;
$$ language plpgsql;

comment on function londiste.local_set_table_attrs(text, text, text) is
'Stores the urlencoded attributes of a table used on this node: 200, 404.';
