-- londiste.execute_start(queue, file, sql, expect_root[, attrs]): asks whether a script shall run here. The script and
-- londiste.execute_finish belong in the same transaction.
--   200 Executing: f
--   201 EXECUTE: "f" already applied, skipping
--   401 Node is not root node: q             expect_root was given
-- Raises `queue does not exist: q` with expect_root and no node.

create or replace function londiste.execute_start(
    in i_queue_name text,
    in i_file_name text,
    in i_sql text,
    in i_expect_root boolean,
    in i_attrs text,
    out ret_code integer,
    out ret_note text)
returns record as $$
begin
    if i_expect_root and not pgq_node.is_root_node(i_queue_name) then
        select 401, 'Node is not root node: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    insert into londiste.applied_execute (queue_name, execute_file, execute_sql, execute_attrs)
        values (i_queue_name, i_file_name, i_sql, i_attrs)
        on conflict do nothing;
    if found then
        select 200, 'Executing: ' || i_file_name into ret_code, ret_note;
    else
        select 201, 'EXECUTE: "' || i_file_name || '" already applied, skipping' into ret_code, ret_note;
    end if;
end;
$$ language plpgsql;

create or replace function londiste.execute_start(
    in i_queue_name text,
    in i_file_name text,
    in i_sql text,
    in i_expect_root boolean,
    out ret_code integer,
    out ret_note text)
returns record as $$
begin
    select e.ret_code, e.ret_note into ret_code, ret_note
        from londiste.execute_start(i_queue_name, i_file_name, i_sql, i_expect_root, null) e;
end;
$$ language plpgsql;

comment on function londiste.execute_start(text, text, text, boolean, text) is
'Asks whether a script shall run here and remembers it: 200 run it, 201 it ran before, 401 not on the root.';
comment on function londiste.execute_start(text, text, text, boolean) is
'Asks whether a script without attributes shall run here: 200 run it, 201 it ran before, 401 not on the root.';
