-- The image of one row: `name=value&…` (logutriga, and the backup of sqltriga) or `{"name":value,…}` (jsontriga), without the
-- columns in i_hidden. Names, declared types and values (see row_values) go side by side. Formats: see pgq.logutriga, pgq.jsontriga.
--
-- The values of jsontriga's three date types are read back from their ISO text, which loses nothing.
create or replace function skytools.row_image(i_kind text, i_names text[], i_types oid[], i_values text[], i_hidden text[])
returns text language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if i_kind = 'jsontriga' then
    return (
      select concat('{', string_agg(to_json(c.name) || ':' || coalesce(case
                 when c.type in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) then c.value
                 when c.type = 'bool'::regtype then c.value::bool::text
                 when c.type = 'date'::regtype then to_json(c.value::date)::text
                 when c.type = 'timestamp'::regtype then to_json(c.value::timestamp)::text
                 when c.type = 'timestamptz'::regtype then to_json(c.value::timestamptz)::text
                 else to_json(c.value)::text end, 'null'), ',' order by c.nr), '}')
        from unnest(i_names, i_types, i_values) with ordinality c(name, type, value, nr)
       where c.name <> all (i_hidden));
  end if;
  return (
    select coalesce(string_agg(skytools.urlencode(c.name) || coalesce('=' || skytools.urlencode(c.value), ''), '&' order by c.nr), '')
      from unnest(i_names, i_values) with ordinality c(name, value, nr)
     where c.name <> all (i_hidden));
end
$$;
comment on function skytools.row_image(text, text[], oid[], text[], text[]) is 'The url-encoded or JSON image of one row.';
