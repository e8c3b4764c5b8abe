-- londiste.split_fqname(name) → (schema_part, name_part): splits an unquoted name at its first dot; public without one.

create or replace function londiste.split_fqname(
    in i_fqname text,
    out schema_part text,
    out name_part text)
returns record as $$
declare
    dot integer := strpos(i_fqname, '.');
begin
    schema_part := case when dot > 0 then substr(i_fqname, 1, dot - 1) else 'public' end;
    name_part := substr(i_fqname, dot + 1);
end;
$$ language plpgsql immutable strict;

comment on function londiste.split_fqname(text) is
'Splits an unquoted name at its first dot; the schema is public without one.';
