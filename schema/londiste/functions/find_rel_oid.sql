-- londiste.find_rel_oid(name, kind) → oid of the relation with that unquoted name and pg_class.relkind, or NULL.
-- Unlike a cast to regclass it neither follows search_path nor raises.

create or replace function londiste.find_rel_oid(i_fqname text, i_kind text)
returns oid as $$
declare
    res oid;
begin
    select c.oid into res
        from londiste.split_fqname(i_fqname) f
            join pg_catalog.pg_namespace n on n.nspname = f.schema_part
            join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = f.name_part
        where c.relkind::text = i_kind;
    return res;
end;
$$ language plpgsql stable strict;

comment on function londiste.find_rel_oid(text, text) is
'The relation with that unquoted name and relkind, or NULL.';
