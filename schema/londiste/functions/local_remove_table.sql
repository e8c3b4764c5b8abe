-- londiste.local_remove_table(queue, table): this node no longer uses the table; on a root it leaves the set.
--   200 Table removed: t
--   400 Table not found: t | Table not registered locally: t
-- Capture triggers go. A copy that was under way leaves an empty table with its indexes and constraints back in place.
-- Sequences of the table's serial columns go with it.

create or replace function londiste.local_remove_table(
    in i_queue_name text,
    in i_table_name text,
    out ret_code integer,
    out ret_note text)
returns record as $$
declare
    v_table text := londiste.make_fqname(i_table_name);
    v_dest  text;
    v_row   record;
    v_root  boolean;
begin
    select t.local, t.dest_table, t.dropped_ddl into v_row
        from londiste.table_info t where t.queue_name = i_queue_name and t.table_name = v_table for update;
    if not found then
        select 400, 'Table not found: ' || v_table into ret_code, ret_note;
        return;
    end if;
    v_root := pgq_node.is_root_node(i_queue_name);
    v_dest := coalesce(v_row.dest_table, v_table);

    if v_row.local then
        perform londiste.drop_table_triggers(i_queue_name, v_table);
        if v_row.dropped_ddl is not null then
            execute 'truncate ' || case when londiste.find_rel_oid(v_dest, 'p') is null then 'only ' else '' end
                || londiste.quote_fqname(v_dest);
            execute v_row.dropped_ddl;
        end if;
        update londiste.table_info t
            set local = false, custom_snapshot = null, table_attrs = null, dropped_ddl = null,
                merge_state = null, dest_table = null
            where t.queue_name = i_queue_name and t.table_name = v_table;

        perform londiste.local_remove_seq(i_queue_name, s.seq_name)
            from (
                select distinct n.nspname || '.' || c.relname as seq_name
                from pg_catalog.pg_depend d
                    join pg_catalog.pg_class c on c.oid = d.objid and c.relkind = 'S'
                    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    and d.refobjid = londiste.find_table_oid(v_dest) and d.refobjsubid > 0
                    and d.deptype in ('a', 'i')) s
                join londiste.seq_info i on i.queue_name = i_queue_name and i.seq_name = s.seq_name and i.local;
    elsif not v_root then
        select 400, 'Table not registered locally: ' || v_table into ret_code, ret_note;
        return;
    end if;

    if v_root then
        perform londiste.global_remove_table(i_queue_name, v_table);
        perform londiste.root_notify_change(i_queue_name, 'londiste.remove-table', v_table);
    end if;
    select 200, 'Table removed: ' || v_table into ret_code, ret_note;
end;
$$ language plpgsql strict;

comment on function londiste.local_remove_table(text, text) is
'Stops using a table on this node; on the root it leaves the set: 200, 400.';
