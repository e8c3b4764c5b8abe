-- What a hand-made trigger has to know of its table: names and declared types of all columns side by side, in attribute order;
-- the primary key in its own order; which columns are magic (_pgq_ev_*) and which virtual, without a value in a trigger.
-- Names are read from the table, because an index keeps a column's old name after a rename.
create or replace function skytools.capture_relation(
    i_table oid, out o_schema text, out o_name text, out o_columns text[], out o_types oid[], out o_key text[],
    out o_magic text[], out o_virtual text[])
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  select n.nspname, r.relname into o_schema, o_name
    from pg_class r join pg_namespace n on n.oid = r.relnamespace where r.oid = i_table;
  select coalesce(array_agg(a.attname::text), '{}'), coalesce(array_agg(a.atttypid), '{}'),
         coalesce(array_agg(a.attname::text) filter (where starts_with(a.attname, '_pgq_ev_')), '{}'),
         coalesce(array_agg(a.attname::text) filter (where a.attgenerated = 'v'), '{}')
    into o_columns, o_types, o_magic, o_virtual
    from (select * from pg_attribute where attrelid = i_table and attnum > 0 and not attisdropped order by attnum) a;
  o_key := array(
    select a.attname::text
      from pg_index x
     cross join lateral unnest(x.indkey::int2[]) with ordinality k(attnum, nr)
      join pg_attribute a on a.attrelid = i_table and a.attnum = k.attnum
     where x.indrelid = i_table and x.indisprimary and k.nr <= x.indnkeyatts
     order by k.nr);
end
$$;
comment on function skytools.capture_relation(oid) is 'What a hand-made pgq trigger has to know of its table.';
