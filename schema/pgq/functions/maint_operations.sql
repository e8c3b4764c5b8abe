-- pgq.maint_operations() → setof (func_name, func_arg): what the ticker has to run now, in this order, each by itself
-- A name is a function with no argument (func_arg NULL) or one text argument that returns integer, to be repeated at once
-- while not 0; or `vacuum` with a table name.
--   rotation step 1 of every due queue, by name · rotation step 2 if any queue needs it · queue_extra_maint of every queue ·
--   skytools.renew_retry_queue if that table is above 2 MB · vacuum · pgq_node.maint_watermark of root nodes ·
--   londiste.root_check_seqs of roots with local sequences · londiste.periodic_maintenance
-- The last three only where such a function exists.
--
-- queue_extra_maint may be written by any pgq_admin while the ticker may be a superuser. So an existing function is passed
-- on only if its owner is a superuser, the owner of pgq.queue or the caller, and not if it is one of the server's own
-- (ts_stat and the like run their argument, and the argument is a queue's name). Others are a WARNING.
-- Errors: none of its own.

create or replace function pgq.maint_operations(out func_name text, out func_arg text)
returns setof record language plpgsql as $$
declare
    v_rotates boolean := false;
    v_dot     integer;
begin
    func_name := 'pgq.maint_rotate_tables_step1';
    for func_arg in
        select queue_name from pgq.queue
         where queue_rotation_period is not null
           and queue_switch_step2 is not null
           and queue_switch_time + queue_rotation_period < current_timestamp
         order by queue_name
    loop
        v_rotates := true;
        return next;
    end loop;

    if v_rotates or exists (select from pgq.queue where queue_switch_step2 is null) then
        func_name := 'pgq.maint_rotate_tables_step2';
        func_arg := null;
        return next;
    end if;

    for func_name, func_arg in
        select e.name, q.queue_name
          from pgq.queue q
         cross join unnest(q.queue_extra_maint) with ordinality e (name, nr)
         where e.name is not null
         order by q.queue_name, e.nr
    loop
        v_dot := strpos(func_name, '.');
        if exists (
            select from pg_catalog.pg_proc p
              join pg_catalog.pg_namespace n on n.oid = p.pronamespace
              join pg_catalog.pg_roles owner on owner.oid = p.proowner
             where n.nspname = case when v_dot > 0 then left(func_name, v_dot - 1) else 'public' end
               and p.proname = substr(func_name, v_dot + 1)
               and (n.nspname in ('pg_catalog', 'information_schema')
                    or not (owner.rolsuper
                            or owner.rolname = current_user
                            or owner.oid = (select relowner from pg_catalog.pg_class
                                             where oid = 'pgq.queue'::regclass))))
        then
            raise warning 'queue "%": extra maintenance function % has no trusted owner, skipped', func_arg, func_name;
        else
            return next;
        end if;
    end loop;

    if pg_catalog.pg_relation_size('pgq.retry_queue') > 2 * 1024 * 1024 then
        func_name := 'skytools.renew_retry_queue';
        func_arg := null;
        return next;
    end if;

    func_name := 'vacuum';
    for func_arg in select * from pgq.maint_tables_to_vacuum() loop
        return next;
    end loop;

    func_name := 'pgq_node.maint_watermark';
    if exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
                where n.nspname = 'pgq_node' and p.proname = 'maint_watermark') then
        for func_arg in
            select queue_name from pgq_node.node_info where node_type = 'root' order by queue_name
        loop
            return next;
        end loop;
    end if;

    func_name := 'londiste.root_check_seqs';
    if exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
                where n.nspname = 'londiste' and p.proname = 'root_check_seqs') then
        for func_arg in
            select distinct s.queue_name
              from londiste.seq_info s
              join pgq_node.node_info n on n.queue_name = s.queue_name
             where s.local and n.node_type = 'root'
             order by s.queue_name
        loop
            return next;
        end loop;
    end if;

    func_name := 'londiste.periodic_maintenance';
    func_arg := null;
    if exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
                where n.nspname = 'londiste' and p.proname = 'periodic_maintenance') then
        return next;
    end if;
end;
$$;

comment on function pgq.maint_operations() is 'what the ticker has to run now: function names with their argument, in order';
