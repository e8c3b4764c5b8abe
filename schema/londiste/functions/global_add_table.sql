-- londiste.global_add_table(queue, table): makes a table known as part of the set, here and in the combined queue.
--   200 Table added: t | Table already added: t
--   400 No such queue: q

create or replace function londiste.global_add_table(
    in i_queue_name text,
    in i_table_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_table     text := londiste.make_fqname(i_table_name);
    v_combined  text;
begin
    select n.combined_queue into v_combined from pgq_node.node_info n where n.queue_name = i_queue_name;
    if not found then
        select 400, 'No such queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    -- Another worker may add the same table at the same time; both are right.
    insert into londiste.table_info (queue_name, table_name) values (i_queue_name, v_table)
        on conflict on constraint table_info_pkey do nothing;
    if found then
        select 200, 'Table added: ' || v_table into ret_code, ret_note;
    else
        select 200, 'Table already added: ' || v_table into ret_code, ret_note;
        return;
    end if;

    insert into londiste.table_info (queue_name, table_name)
        select n.queue_name, v_table from pgq_node.node_info n where n.queue_name = v_combined
        on conflict on constraint table_info_pkey do nothing;
end;
$$ language plpgsql strict;

comment on function londiste.global_add_table(text, text) is
'Makes a table known as part of the set: 200, 400 when there is no such queue.';
