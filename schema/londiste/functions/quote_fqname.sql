-- londiste.quote_fqname(name) → text: an unquoted name as SQL, schema and name quoted where needed.

create or replace function londiste.quote_fqname(i_name text)
returns text as $$
declare
    parts record;
begin
    select * into parts from londiste.split_fqname(i_name);
    return quote_ident(parts.schema_part) || '.' || quote_ident(parts.name_part);
end;
$$ language plpgsql immutable strict;

comment on function londiste.quote_fqname(text) is 'An unquoted name as SQL, with its schema, quoted where needed.';
