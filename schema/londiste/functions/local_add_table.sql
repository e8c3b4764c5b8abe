-- londiste.local_add_table(queue, table[, trg_args[, table_attrs[, dest_table]]]): this node uses the table.
--   200 Table added: t | Table added with no triggers: t | Table already added: t
--   301 Table added: t, but londiste trigger is not first: NAME
--   400 No such set: q | Primary key missing on table: t
--   404 Table does not exist: t | Table not available on queue: t
--   405 Cannot use merge-all and no-merge together
--       | Found local table t in queue q, use remove-table first to remove all previous table subscriptions
--       | Found multiple sources for table t, use merge-all or no-merge to continue
--   410 Table t already added, but with different args: <attrs>
--   codes of londiste.create_trigger with note `Trigger creation failed for table t: …`
-- t is followed by the destination in parentheses when it is another name. The caller rolls back on codes above 299
-- (301 excepted), as part of the work may be done by then.
-- Elements of trg_args used here (the rest: londiste.create_trigger):
--   expect_sync    no copy, the data is there
--   skip_truncate  copy without emptying the table first; kept as attribute skip_truncate=1
--   merge_all      feed the table from all parts of the combined queue
--   no_merge       feed it from this part only
--   virtual_table  there need not be a table; implies expect_sync
-- A root makes the table part of the set and tells the other nodes.

create or replace function londiste.local_add_table(
    in i_queue_name text,
    in i_table_name text,
    in i_trg_args text[],
    in i_table_attrs text,
    in i_dest_table text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_args      text[] := coalesce(i_trg_args, '{}');
    v_table     text := londiste.make_fqname(i_table_name);
    v_dest      text := londiste.make_fqname(coalesce(i_dest_table, i_table_name));
    v_desc      text := v_table || coalesce('(' || nullif(v_dest, v_table) || ')', '');
    v_attrs     text := i_table_attrs;
    v_virtual   boolean := v_args @> '{virtual_table}';
    v_merge_all boolean := v_args @> '{merge_all}';
    v_no_merge  boolean := v_args @> '{no_merge}';
    v_state     text;
    v_node      record;
    v_old       record;
    v_other     record;
    v_trigger   record;
    v_first     text;
begin
    if v_args @> '{skip_truncate}' then
        v_attrs := coalesce(v_attrs || '&', '') || 'skip_truncate=1';
    end if;
    if v_merge_all and v_no_merge then
        select 405, 'Cannot use merge-all and no-merge together' into ret_code, ret_note;
        return;
    end if;

    select n.node_type, n.combined_queue, c.node_type as combined_type into v_node
        from pgq_node.node_info n left join pgq_node.node_info c on c.queue_name = n.combined_queue
        where n.queue_name = i_queue_name;

    if not v_virtual then
        if londiste.find_table_oid(v_dest) is null then
            select 404, 'Table does not exist: ' || v_desc into ret_code, ret_note;
            return;
        end if;
        -- The copy of another part may have taken the key away for the time being.
        perform 1 from pg_catalog.pg_index i where i.indrelid = londiste.find_table_oid(v_dest) and i.indisprimary;
        if not found then
            perform 1
                from londiste.table_info t join pgq_node.node_info n on n.queue_name = t.queue_name
                where n.combined_queue = v_node.combined_queue and t.queue_name <> i_queue_name
                    and coalesce(t.dest_table, t.table_name) = v_dest and t.dropped_ddl is not null;
            if not found then
                select 400, 'Primary key missing on table: ' || v_desc into ret_code, ret_note;
                return;
            end if;
        end if;
    end if;

    if v_node.node_type is null then
        select 400, 'No such set: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    if v_node.node_type = 'root' then
        perform londiste.global_add_table(i_queue_name, v_table);
    end if;
    select t.local, t.table_attrs into v_old
        from londiste.table_info t where t.queue_name = i_queue_name and t.table_name = v_table for update;
    if not found then
        select 404, 'Table not available on queue: ' || v_desc into ret_code, ret_note;
        return;
    elsif v_old.local then
        if coalesce(v_attrs, '') <> coalesce(v_old.table_attrs, '') then
            select 410, 'Table ' || v_desc || ' already added, but with different args: '
                    || coalesce(v_old.table_attrs, '')
                into ret_code, ret_note;
        else
            select 200, 'Table already added: ' || v_desc into ret_code, ret_note;
        end if;
        return;
    end if;

    -- A leaf beside a combined branch gets the data through the combined queue, which does the copy.
    if v_node.node_type = 'root' or v_node.combined_type = 'branch' or v_virtual or v_args @> '{expect_sync}' then
        v_state := 'ok';
    end if;

    update londiste.table_info t
        set local = true, merge_state = v_state,
            table_attrs = coalesce(v_attrs, t.table_attrs),
            dest_table = nullif(v_dest, v_table)
        where t.queue_name = i_queue_name and t.table_name = v_table;
    if v_node.node_type = 'root' then
        perform londiste.root_notify_change(i_queue_name, 'londiste.add-table', v_table);
    end if;

    if v_node.node_type = 'leaf' and not v_no_merge then
        -- Other sources of the same table: parts merged into the same combined queue, or all queues without one.
        for v_other in
            select t.queue_name, t.table_name, t.local
            from londiste.table_info t join pgq_node.node_info n on n.queue_name = t.queue_name
            where coalesce(t.dest_table, t.table_name) = v_dest and t.queue_name <> i_queue_name
                and n.combined_queue is not distinct from v_node.combined_queue
            order by t.queue_name
        loop
            if v_other.local and v_state is distinct from 'ok' then
                select 405, 'Found local table ' || v_desc || ' in queue ' || v_other.queue_name
                        || ', use remove-table first to remove all previous table subscriptions'
                    into ret_code, ret_note;
                return;
            elsif not v_merge_all and v_state is distinct from 'ok' then
                select 405, 'Found multiple sources for table ' || v_desc
                        || ', use merge-all or no-merge to continue'
                    into ret_code, ret_note;
                return;
            end if;
            update londiste.table_info t
                set local = true, merge_state = v_state, table_attrs = coalesce(v_attrs, t.table_attrs)
                where t.queue_name = v_other.queue_name and t.table_name = v_other.table_name and not t.local;
        end loop;

        perform 1 from londiste.table_info t
            where t.queue_name = v_node.combined_queue and t.table_name = v_table and t.local;
        if not found and v_node.combined_type in ('root', 'branch') then
            select a.ret_code, a.ret_note into ret_code, ret_note
                from londiste.local_add_table(v_node.combined_queue, i_table_name, i_trg_args,
                                              i_table_attrs, i_dest_table) a;
            if ret_code > 299 then
                return;
            end if;
        end if;
    end if;

    select c.ret_code, c.ret_note, c.trigger_name into v_trigger
        from londiste.create_trigger(i_queue_name, v_table, i_trg_args, v_dest, v_node.node_type) c;
    if v_trigger.ret_code > 299 then
        select v_trigger.ret_code, 'Trigger creation failed for table ' || v_desc || ': ' || v_trigger.ret_note
            into ret_code, ret_note;
        return;
    elsif v_trigger.ret_code = 201 then
        select 200, 'Table added with no triggers: ' || v_desc into ret_code, ret_note;
        return;
    end if;

    -- A user's trigger that changes the row's table before a row trigger of ours has run would be seen out of order.
    -- Statement triggers of ours come after all of them and put that right themselves; those of a leaf log nothing.
    -- tgtype: 1 row, 2 before.
    select u.tgname into v_first
        from pg_catalog.pg_trigger u
        where v_node.node_type <> 'leaf' and u.tgrelid = londiste.find_table_oid(v_dest) and not u.tgisinternal
            and u.tgtype & 1 = 1 and u.tgtype & 2 = 0 and u.tgname < v_trigger.trigger_name
            and not londiste.is_replica_func(u.tgfoid)
            and u.tgname !~ '^_londiste_' and u.tgname !~ '_logger$'
            and exists (
                select 1 from pg_catalog.pg_trigger o
                where o.tgrelid = u.tgrelid and o.tgname = v_trigger.trigger_name
                    and o.tgtype & 1 = 1 and o.tgtype & 2 = 0)
        order by u.tgname limit 1;
    if found then
        select 301, 'Table added: ' || v_desc || ', but londiste trigger is not first: ' || v_first
            into ret_code, ret_note;
    else
        select 200, 'Table added: ' || v_desc into ret_code, ret_note;
    end if;
end;
$$ language plpgsql;

create or replace function londiste.local_add_table(
    in i_queue_name text,
    in i_table_name text,
    in i_trg_args text[],
    in i_table_attrs text,
    out ret_code integer,
    out ret_note text)
returns record as $$
begin
    select a.ret_code, a.ret_note into ret_code, ret_note
        from londiste.local_add_table(i_queue_name, i_table_name, i_trg_args, i_table_attrs, null) a;
end;
$$ language plpgsql;

create or replace function londiste.local_add_table(
    in i_queue_name text,
    in i_table_name text,
    in i_trg_args text[],
    out ret_code integer,
    out ret_note text)
returns record as $$
begin
    select a.ret_code, a.ret_note into ret_code, ret_note
        from londiste.local_add_table(i_queue_name, i_table_name, i_trg_args, null, null) a;
end;
$$ language plpgsql;

create or replace function londiste.local_add_table(
    in i_queue_name text,
    in i_table_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
begin
    select a.ret_code, a.ret_note into ret_code, ret_note
        from londiste.local_add_table(i_queue_name, i_table_name, null, null, null) a;
end;
$$ language plpgsql strict;

comment on function londiste.local_add_table(text, text, text[], text, text) is
'Uses a table of the set on this node, under another name if wanted. Codes: 200, 301, 4xx.';
comment on function londiste.local_add_table(text, text, text[], text) is
'Uses a table of the set on this node, with trigger arguments and attributes. Codes: 200, 301, 4xx.';
comment on function londiste.local_add_table(text, text, text[]) is
'Uses a table of the set on this node, with trigger arguments. Codes: 200, 301, 4xx.';
comment on function londiste.local_add_table(text, text) is
'Uses a table of the set on this node. Codes: 200, 301, 4xx.';
