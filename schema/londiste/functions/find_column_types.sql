-- londiste.find_column_types(table) → text: one letter per live column in table order, k in the primary key, v not.
-- Empty when there is no such table.

create or replace function londiste.find_column_types(tbl text)
returns text as $$
declare
    res text;
begin
    select coalesce(string_agg(case when a.attnum = any (i.indkey) then 'k' else 'v' end, '' order by a.attnum), '')
        into res
        from pg_catalog.pg_attribute a
            left join pg_catalog.pg_index i on i.indrelid = a.attrelid and i.indisprimary
        where a.attrelid = londiste.find_table_oid(tbl) and a.attnum > 0 and not a.attisdropped;
    return res;
end;
$$ language plpgsql stable strict;

comment on function londiste.find_column_types(text) is
'One letter per column of the table: k in the primary key, v not; empty for an unknown table.';
