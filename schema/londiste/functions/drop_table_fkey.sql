-- londiste.drop_table_fkey(from_table, name) → 1 dropped, 0 no such key. The statement that restores it is kept in
-- londiste.pending_fkeys. from_table is the full name, as londiste.find_table_fkeys gives it.

create or replace function londiste.drop_table_fkey(i_from_table text, i_fkey_name text)
returns integer as $$
declare
    v_fkey londiste.pending_fkeys;
begin
    select f.* into v_fkey
        from londiste.find_table_fkeys(i_from_table) f
        where f.from_table = i_from_table and f.fkey_name = i_fkey_name;
    if not found then
        return 0;
    end if;

    -- A row of that name is left when somebody made the key again by hand: the newest definition counts.
    insert into londiste.pending_fkeys select v_fkey.*
        on conflict (from_table, fkey_name) do update
        set to_table = excluded.to_table, fkey_def = excluded.fkey_def;
    execute 'alter table ' || case when londiste.find_rel_oid(i_from_table, 'p') is null then 'only ' else '' end
        || londiste.quote_fqname(i_from_table) || ' drop constraint ' || quote_ident(i_fkey_name);
    return 1;
end;
$$ language plpgsql strict;

comment on function londiste.drop_table_fkey(text, text) is
'Drops a foreign key and remembers how to restore it: 1, 0 when there is none.';
