-- londiste.upgrade_schema() → 0: creates the two roles and their memberships when missing and brings tables of earlier
-- levels up to date. Idempotent.
-- Errors: 42501 listing the commands when the caller may not run them (they need CREATEROLE, and ADMIN OPTION on the
-- pgq role that is granted).

create or replace function londiste.upgrade_schema()
returns integer as $$
declare
    v_commands  text[];
    v_command   text;
    v_rel       oid;
begin
    with wanted (name, parent) as (values ('londiste_writer', 'pgq_admin'), ('londiste_reader', 'pgq_reader'))
    select array_agg(c.command order by c.step, c.command) into v_commands
        from (
            select 1 as step, format('create role %I', w.name) as command
            from wanted w
            where not exists (select 1 from pg_catalog.pg_roles r where r.rolname = w.name)
            union all
            select 2, format('grant %I to %I', w.parent, w.name)
            from wanted w
            where not exists (
                select 1
                from pg_catalog.pg_auth_members m
                    join pg_catalog.pg_roles g on g.oid = m.roleid
                    join pg_catalog.pg_roles r on r.oid = m.member
                where g.rolname = w.parent and r.rolname = w.name)) c;
    begin
        foreach v_command in array coalesce(v_commands, '{}') loop
            execute v_command;
        end loop;
    exception
        when insufficient_privilege then
            raise exception 'roles of londiste are missing and % may not make them', current_user
                using errcode = 'insufficient_privilege',
                      detail = 'Needed: ' || array_to_string(v_commands, '; '),
                      hint = 'Let a role that may do so run these commands, then install again.';
    end;

    v_rel := 'londiste.table_info'::pg_catalog.regclass;
    perform 1 from pg_catalog.pg_attribute where attrelid = v_rel and attname = 'dest_table' and not attisdropped;
    if not found then
        alter table londiste.table_info add column dest_table text;
    end if;
    perform 1 from pg_catalog.pg_constraint
        where conrelid = v_rel and contype = 'c' and pg_catalog.pg_get_constraintdef(oid) ~ 'dropped_ddl';
    if not found then
        alter table londiste.table_info add constraint table_info_check
            check (dropped_ddl is null or merge_state in ('in-copy', 'catching-up'));
    end if;
    -- Bit 1 of tgtype is BEFORE: the trigger has to see the row of the table that goes.
    perform 1 from pg_catalog.pg_trigger
        where tgrelid = v_rel and tgname = 'table_info_trigger_sync' and tgtype & 2 = 0;
    if found then
        drop trigger table_info_trigger_sync on londiste.table_info;
        create trigger table_info_trigger_sync before delete on londiste.table_info
            for each row execute procedure londiste.table_info_trigger();
    end if;

    v_rel := 'londiste.applied_execute'::pg_catalog.regclass;
    perform 1 from pg_catalog.pg_attribute where attrelid = v_rel and attname = 'execute_attrs' and not attisdropped;
    if not found then
        alter table londiste.applied_execute add column execute_attrs text;
    end if;
    perform 1 from pg_catalog.pg_constraint where conrelid = v_rel and contype = 'p' and cardinality(conkey) > 1;
    if found then
        alter table londiste.applied_execute drop constraint applied_execute_pkey;
        alter table londiste.applied_execute add constraint applied_execute_pkey primary key (execute_file);
    end if;
    perform 1 from pg_catalog.pg_constraint where conrelid = v_rel and conname = 'applied_execute_queue_name_fkey';
    if found then
        alter table londiste.applied_execute drop constraint applied_execute_queue_name_fkey;
    end if;
    return 0;
end;
$$ language plpgsql;

comment on function londiste.upgrade_schema() is
'Creates missing roles and brings tables of earlier levels up to date. Returns 0; safe to repeat.';
