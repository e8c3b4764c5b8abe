-- londiste.is_replica_func(oid) → true for functions of capture triggers: those of pgq and the generated ones.

create or replace function londiste.is_replica_func(func_oid oid)
returns boolean as $$
    select exists (
            select 1
            from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
            where p.oid = $1 and n.nspname = 'pgq' and p.proname in ('sqltriga', 'logutriga', 'jsontriga'))
        or skytools.is_capture_func($1);
$$ language sql stable strict;

comment on function londiste.is_replica_func(oid) is
'True for the function of a capture trigger, generic or generated.';
