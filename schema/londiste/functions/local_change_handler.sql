-- londiste.local_change_handler(queue, table, trg_args, attrs): other attributes and capture triggers for a table that
-- is used here.
--   200 Handler changed for table: t | Table handler updated with no triggers: t
--   400 No such set: q
--   404 no such local table: t
--   codes of londiste.create_trigger with note `Trigger creation failed for table t: …`; the caller rolls back
-- With no_triggers among the arguments the triggers stay as they are.

create or replace function londiste.local_change_handler(
    in i_queue_name text,
    in i_table_name text,
    in i_trg_args text[],
    in i_table_attrs text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_table     text := londiste.make_fqname(i_table_name);
    v_dest      text;
    v_desc      text;
    v_type      text;
    v_trigger   record;
begin
    select n.node_type into v_type from pgq_node.node_info n where n.queue_name = i_queue_name;
    if not found then
        select 400, 'No such set: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    select a.ret_code, a.ret_note into ret_code, ret_note
        from londiste.local_set_table_attrs(i_queue_name, v_table, i_table_attrs) a;
    if ret_code <> 200 then
        return;
    end if;

    select coalesce(t.dest_table, v_table), v_table || coalesce('(' || t.dest_table || ')', '') into v_dest, v_desc
        from londiste.table_info t where t.queue_name = i_queue_name and t.table_name = v_table;
    select c.ret_code, c.ret_note into v_trigger
        from londiste.create_trigger(i_queue_name, v_table, i_trg_args, v_dest, v_type) c;
    if v_trigger.ret_code > 299 then
        select v_trigger.ret_code, 'Trigger creation failed for table ' || v_desc || ': ' || v_trigger.ret_note
            into ret_code, ret_note;
    elsif v_trigger.ret_code = 201 then
        select 200, 'Table handler updated with no triggers: ' || v_desc into ret_code, ret_note;
    else
        select 200, 'Handler changed for table: ' || v_desc into ret_code, ret_note;
    end if;
end;
$$ language plpgsql;

comment on function londiste.local_change_handler(text, text, text[], text) is
'Other attributes and capture triggers for a table used on this node: 200, 4xx.';
