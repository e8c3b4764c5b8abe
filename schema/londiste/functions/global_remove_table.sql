-- londiste.global_remove_table(queue, table): the table leaves the set; its capture triggers go with the row.
--   200 Table removed: t
--   400 Table not found: t
-- Raises `queue does not exist: q` without a node.

create or replace function londiste.global_remove_table(
    in i_queue_name text,
    in i_table_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_table text := londiste.make_fqname(i_table_name);
begin
    -- A table that is not used here answers 400, which is no obstacle.
    if not pgq_node.is_root_node(i_queue_name) then
        perform londiste.local_remove_table(i_queue_name, v_table);
    end if;

    delete from londiste.table_info t where t.queue_name = i_queue_name and t.table_name = v_table;
    if found then
        select 200, 'Table removed: ' || v_table into ret_code, ret_note;
    else
        select 400, 'Table not found: ' || v_table into ret_code, ret_note;
    end if;
end;
$$ language plpgsql strict;

comment on function londiste.global_remove_table(text, text) is
'Removes a table from the set: 200, 400 when it is unknown.';
