-- pgq.quote_fqname(name) → text
-- Quotes an unquoted schema.name where needed, split at the first dot; without a dot the schema is public.
-- a.b.C → a."b.C" · X → public."X"

create or replace function pgq.quote_fqname(i_name text)
returns text language plpgsql immutable strict as $$
declare
    v_dot integer := pg_catalog.strpos(i_name, '.');
begin
    if v_dot = 0 then
        return 'public.' || pg_catalog.quote_ident(i_name);
    end if;
    return pg_catalog.quote_ident(pg_catalog.substr(i_name, 1, v_dot - 1)) || '.'
        || pg_catalog.quote_ident(pg_catalog.substr(i_name, v_dot + 1));
end;
$$;

comment on function pgq.quote_fqname(text) is 'quotes an unquoted schema.name for use in SQL';
