-- londiste.set_session_replication_role(value, is_local): origin, replica or local, for the transaction or the session.
-- Runs with the owner's rights, so that a replaying worker need not be superuser. The owner must be allowed to set the
-- parameter itself: superuser, or from PostgreSQL 15 on GRANT SET ON PARAMETER session_replication_role.
-- Errors: `bad value for session_replication_role`; 42501 when the owner may not set it.

create or replace function londiste.set_session_replication_role(val text, is_local boolean)
returns void as $$
begin
    if val is null or val not in ('origin', 'replica', 'local') then
        raise exception 'bad value for session_replication_role';
    end if;
    perform set_config('session_replication_role', val, coalesce(is_local, false));
exception
    when insufficient_privilege then
        raise exception 'the owner of londiste.set_session_replication_role (%) may not set session_replication_role',
                current_user
            using errcode = 'insufficient_privilege',
                hint = case when current_setting('server_version_num')::integer >= 150000
                    then format('GRANT SET ON PARAMETER session_replication_role TO %I', current_user)
                    else 'A superuser must own the function: ALTER FUNCTION ... OWNER TO.' end;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

comment on function londiste.set_session_replication_role(text, boolean) is
'Sets session_replication_role with the rights of the function''s owner.';
