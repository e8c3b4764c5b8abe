-- londiste.restore_table_fkey(from_table, name, lazy default false) → text
-- Restores a dropped foreign key. Empty text: done, or nothing to do.
-- lazy: returns the next statement the caller has to run, in its own transaction, and call again: first the key as NOT
-- VALID (short lock), then its validation (which lets writers pass). A partitioned table cannot have a key NOT VALID:
-- there the one statement is the whole key.

create or replace function londiste.restore_table_fkey(
    i_from_table text,
    i_fkey_name text,
    i_lazy boolean default false)
returns text as $$
declare
    v_def       text;
    v_valid     boolean;
    v_validate  text := 'alter table only ' || londiste.quote_fqname(i_from_table)
                        || ' validate constraint ' || quote_ident(i_fkey_name);
begin
    select p.fkey_def into v_def
        from londiste.pending_fkeys p
        where p.from_table = i_from_table and p.fkey_name = i_fkey_name
        for update;
    if not found then
        return '';
    end if;

    select k.convalidated into v_valid
        from pg_catalog.pg_constraint k
        where k.conrelid = londiste.find_table_oid(i_from_table) and k.conname = i_fkey_name and k.contype = 'f';
    if v_valid is null and i_lazy then
        return v_def || case when londiste.find_rel_oid(i_from_table, 'p') is null then ' not valid' else '' end;
    elsif not v_valid and i_lazy then
        return v_validate;
    elsif v_valid is null then
        execute v_def;
    elsif not v_valid then
        execute v_validate;
    end if;

    delete from londiste.pending_fkeys p where p.from_table = i_from_table and p.fkey_name = i_fkey_name;
    return '';
end;
$$ language plpgsql strict;

comment on function londiste.restore_table_fkey(text, text, boolean) is
'Restores a dropped foreign key; lazily it returns the next statement to run, empty when done.';
