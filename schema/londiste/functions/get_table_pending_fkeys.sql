-- londiste.get_table_pending_fkeys(table) → setof londiste.pending_fkeys: dropped keys from or to the table that wait
-- to be restored. The name is compared as stored, with schema.

create or replace function londiste.get_table_pending_fkeys(i_table_name text)
returns setof londiste.pending_fkeys as $$
begin
    return query
        select p.* from londiste.pending_fkeys p
        where i_table_name in (p.from_table, p.to_table)
        order by p.from_table, p.fkey_name;
end;
$$ language plpgsql stable strict;

comment on function londiste.get_table_pending_fkeys(text) is
'Dropped foreign keys from or to a table that wait to be restored.';
