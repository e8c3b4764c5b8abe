-- londiste.drop_table_triggers(queue, table): drops the capture triggers of the queue from the local table that stands
-- for `table` of the set, generic ones and generated ones with their functions. A trigger belongs to the queue when its
-- first argument is the queue's name. Inheriting tables, as londiste.create_partition makes them, lose theirs too
-- unless they are in the set themselves. Nothing happens for a table that is unknown to the set or missing here.

create or replace function londiste.drop_table_triggers(i_queue_name text, i_table_name text)
returns void as $$
declare
    v_dest      text;
    v_queue_arg bytea := convert_to(i_queue_name, getdatabaseencoding()) || '\x00'::bytea;
    v_trigger   record;
begin
    select coalesce(t.dest_table, t.table_name) into v_dest
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = londiste.make_fqname(i_table_name);

    -- Partitions are left out: their triggers are copies that go with the one on the partitioned table.
    for v_trigger in
        with recursive family (relid) as (
            select londiste.find_table_oid(v_dest)
            union
            select i.inhrelid
            from family f
                join pg_catalog.pg_inherits i on i.inhparent = f.relid
                join pg_catalog.pg_class c on c.oid = i.inhrelid and not c.relispartition
            where i.inhrelid not in (
                select londiste.find_table_oid(coalesce(t.dest_table, t.table_name))
                from londiste.table_info t
                where t.queue_name = i_queue_name and t.local
                    and londiste.find_table_oid(coalesce(t.dest_table, t.table_name)) is not null))
        select format('drop trigger %I on %I.%I', t.tgname, n.nspname, c.relname) as command
        from family f
            join pg_catalog.pg_trigger t on t.tgrelid = f.relid
            join pg_catalog.pg_class c on c.oid = f.relid
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where not t.tgisinternal and londiste.is_replica_func(t.tgfoid)
            and substring(t.tgargs for octet_length(v_queue_arg)) = v_queue_arg
    loop
        execute v_trigger.command;
    end loop;
    if found then
        perform skytools.drop_unused_captures();
    end if;
end;
$$ language plpgsql strict;

comment on function londiste.drop_table_triggers(text, text) is
'Drops the capture triggers of the queue from the local table.';
