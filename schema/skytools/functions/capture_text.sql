-- SQL for the text of a column value as its type's *output function* gives it; NULL stays NULL.
--
-- i_value: SQL of the value; i_base: its type below domains. A cast to text is the output function unless pg_cast knows
-- another way (char(n) loses its padding, inet gains /32, bool says true): those go through format('%s').
-- `is distinct from null` and not `is not null`: the latter is false for a row value that holds a NULL.
create or replace function skytools.capture_text(i_value text, i_base oid) returns text
language sql stable as $$
  select case
    when i_base = 'pg_catalog.text'::pg_catalog.regtype then i_value
    when i_base = 'pg_catalog.bool'::pg_catalog.regtype then
      pg_catalog.format('case when %1$s then ''t'' when not %1$s then ''f'' end', i_value)
    when i_base <> 'pg_catalog.varchar'::pg_catalog.regtype and exists (
        select 1 from pg_catalog.pg_cast c
         where c.castsource = i_base and c.casttarget = 'pg_catalog.text'::pg_catalog.regtype) then
      pg_catalog.format('case when %1$s is distinct from null then pg_catalog.format(''%%s'', %1$s) end', i_value)
    else i_value || '::pg_catalog.text'
  end
$$;
comment on function skytools.capture_text(text, oid) is
  'SQL for the text of a column value as the output function of its type gives it.';
