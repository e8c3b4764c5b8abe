-- londiste.find_table_oid(name) → oid of the table with that unquoted name, or NULL.
-- Ordinary and partitioned tables: a trigger on a partitioned table reaches every partition, and reading or writing
-- through it does too, so it can be replicated as one table. Views and foreign tables cannot.

create or replace function londiste.find_table_oid(tbl text)
returns oid as $$
begin
    return coalesce(londiste.find_rel_oid(tbl, 'r'), londiste.find_rel_oid(tbl, 'p'));
end;
$$ language plpgsql stable strict;

comment on function londiste.find_table_oid(text) is
'The ordinary or partitioned table with that unquoted name, or NULL.';
