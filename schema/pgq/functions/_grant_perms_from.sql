-- pgq._grant_perms_from(source schema, table, target schema, table) → integer, 1
-- Gives every privilege on the source table, with its grant option, on the target table too.
-- Errors: 42P01 target missing; a missing source has no privileges to copy.

create or replace function pgq._grant_perms_from(src_schema text, src_table text, dst_schema text, dst_table text)
returns integer language plpgsql strict as $$
declare
    p record;
begin
    for p in
        select a.privilege_type,
               case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end as grantee,
               a.is_grantable or a.grantee = c.relowner as grantable
          from pg_catalog.pg_class c
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         cross join pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
          left join pg_catalog.pg_roles r on r.oid = a.grantee
         where n.nspname = src_schema and c.relname = src_table
    loop
        execute format('grant %s on %I.%I to %s', p.privilege_type, dst_schema, dst_table, p.grantee)
             || case when p.grantable then ' with grant option' else '' end;
    end loop;
    return 1;
end;
$$;

comment on function pgq._grant_perms_from(text, text, text, text) is 'copies the privileges of one table to another';
