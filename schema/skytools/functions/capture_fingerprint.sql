-- What the generated functions of a table depend on, as one hash: its name, columns, types and key, whether it has
-- inheritance relatives, other row triggers that may change its rows, and the version of the generator itself.
create or replace function skytools.capture_fingerprint(i_table oid) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select md5(concat_ws('|', 'generator 2', n.nspname, r.relname, r.relkind,
      (select string_agg(concat_ws(' ', a.attnum, a.attname, a.atttypid), ',' order by a.attnum)
         from pg_attribute a where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped),
      (select x.indkey::text || ' ' || x.indnkeyatts from pg_index x where x.indrelid = r.oid and x.indisprimary),
      skytools.capture_needs_rows(r.oid), skytools.capture_needs_repair(r.oid)))
    from pg_class r join pg_namespace n on n.oid = r.relnamespace
   where r.oid = i_table
$$;
comment on function skytools.capture_fingerprint(oid) is 'Hash of all that the generated capture functions of a table depend on.';
