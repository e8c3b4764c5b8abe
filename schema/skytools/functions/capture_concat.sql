-- SQL that joins texts, NULLs left out; a concat() takes at most 100 arguments, wide tables need several.
create or replace function skytools.capture_concat(i_parts text[]) returns text
language sql immutable as $$
  select coalesce(pg_catalog.string_agg(call, ' || ' order by nr), '''''')
    from (select (nr - 1) / 90 as nr, 'pg_catalog.concat(' || pg_catalog.string_agg(part, ', ' order by nr) || ')' as call
            from pg_catalog.unnest(i_parts) with ordinality as p(part, nr)
           group by (nr - 1) / 90) c
$$;
comment on function skytools.capture_concat(text[]) is 'SQL that joins the given SQL texts, NULLs left out.';
