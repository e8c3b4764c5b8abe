-- londiste.make_fqname(name) → text: the unquoted name with its schema, public when it has none.

create or replace function londiste.make_fqname(i_name text)
returns text as $$
begin
    return case when strpos(i_name, '.') > 0 then i_name else 'public.' || i_name end;
end;
$$ language plpgsql immutable strict;

comment on function londiste.make_fqname(text) is 'The unquoted name with its schema, public when it has none.';
