-- The SET clauses that make a table's values independent of the writer's session, as `set name = value …`, or ''.
--
-- Only what some column needs is set, because each clause costs a quarter of a microsecond per call. Types are followed
-- through domains, arrays, ranges and row types; multiranges and base types from outside pg_catalog are taken to need all but
-- lc_monetary. TimeZone stays the writer's: ISO output names the zone. lc_monetary becomes the server's own, the one a
-- subscriber of the same make reads back.
create or replace function skytools.capture_settings(i_table oid) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  with recursive reached(type) as (
      select a.atttypid from pg_attribute a where a.attrelid = i_table and a.attnum > 0 and not a.attisdropped
      union
      select p.type
        from reached r
        join pg_type t on t.oid = r.type
        left join pg_range g on g.rngtypid = t.oid
        left join pg_attribute a on t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
       cross join lateral (values (nullif(t.typbasetype, 0)), (nullif(t.typelem, 0)), (g.rngsubtype), (a.atttypid)) p(type)
       where p.type is not null),
    needed(setting) as (
      select s.setting
        from reached r
        join pg_type t on t.oid = r.type
        join (values ('{date,timestamp,timestamptz}'::text[], 'datestyle = ISO'),
                     ('{interval}', 'intervalstyle = postgres'),
                     ('{bytea}', 'bytea_output = hex'),
                     ('{float4,float8,point,lseg,path,box,polygon,line,circle}', 'extra_float_digits = 3'),
                     ('{money}', format('lc_monetary = %L', (select reset_val from pg_settings where name = 'lc_monetary')))
             ) s(types, setting)
          on t.typname = any (s.types) and t.typnamespace = 'pg_catalog'::regnamespace
             or (t.typtype = 'm' or t.typtype = 'b' and t.typnamespace <> 'pg_catalog'::regnamespace and t.typelem = 0)
                and s.types <> '{money}')
  select coalesce(string_agg(distinct 'set ' || setting, ' ' order by 'set ' || setting), '') from needed
$$;
comment on function skytools.capture_settings(oid) is
  'The SET clauses that make the text of a table''s values independent of the writer''s session.';
