-- skytools.ensure_roles() → void
-- Creates the three NOLOGIN roles of the queue schemas where they are missing and makes pgq_admin a member of the other
-- two. Reader and writer stay siblings: a producer must not be able to finish somebody's batch.
-- Where schema pgq belongs to somebody else, the functions of schema skytools need pgq_admin's rights there: the caller, whose
-- they will be, becomes a member.
-- Errors: 42501 naming exactly what is missing when the caller may not create roles; a DBA runs the printed commands.

create or replace function skytools.ensure_roles()
returns void language plpgsql as $$
declare
    v_missing text[] := '{}';   -- commands still to be run
    v_command text;
begin
    select coalesce(array_agg(format('create role %I', r.name) order by r.nr), '{}') into v_missing
      from (values (1, 'pgq_reader'), (2, 'pgq_writer'), (3, 'pgq_admin')) r (nr, name)
     where not exists (select from pg_catalog.pg_roles where rolname = r.name);

    select v_missing || coalesce(array_agg(format('grant %I to pgq_admin', g.name) order by g.nr), '{}') into v_missing
      from (values (1, 'pgq_reader'), (2, 'pgq_writer')) g (nr, name)
     where not exists (select from pg_catalog.pg_auth_members m
                         join pg_catalog.pg_roles granted on granted.oid = m.roleid
                         join pg_catalog.pg_roles member on member.oid = m.member
                        where granted.rolname = g.name and member.rolname = 'pgq_admin');

    -- beside an extension of another owner
    if not coalesce(has_table_privilege(to_regclass('pgq.subscription'), 'update'), true) then
        v_missing := v_missing || format('grant pgq_admin to %I', current_user);
    end if;

    begin
        foreach v_command in array v_missing loop
            execute v_command;
        end loop;
    exception
        when insufficient_privilege then
            raise exception 'roles are missing and % may not create them', current_user
                using errcode = '42501',
                      detail = 'Needed: ' || array_to_string(v_missing, '; '),
                      hint = 'Let a role with CREATEROLE run these commands, then install again.';
        when duplicate_object or unique_violation then
            -- roles belong to the cluster: another database's installation was faster
            raise exception 'roles are being created by another session' using errcode = '40001', hint = 'Try again.';
    end;
end;
$$;

comment on function skytools.ensure_roles() is
    'creates pgq_reader, pgq_writer, pgq_admin and their membership where missing; 42501 lists the commands when it may not';
