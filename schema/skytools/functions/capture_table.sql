-- The oid of a table that may be captured: i_table is `schema.name`, unquoted, split at the first dot. Others are refused by name.
create or replace function skytools.capture_table(i_table text) returns oid
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  r record;
begin
  select c.oid, c.relkind, c.relpersistence into r from pg_class c where c.oid = to_regclass(pgq.quote_fqname(i_table));
  if not found then
    raise exception 'table % does not exist', i_table using errcode = '42P01';
  elsif r.relkind not in ('r', 'p') then
    raise exception '% is a %: only tables can be captured', i_table,
      case r.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table'
                     else 'relation of another kind' end
      using errcode = '42809';
  elsif r.relpersistence <> 'p' then
    raise exception '% is a%: only permanent, logged tables can be captured', i_table,
      case r.relpersistence when 't' then ' temporary table' else 'n unlogged table' end using errcode = '42809';
  end if;
  return r.oid;
end
$$;
comment on function skytools.capture_table(text) is 'The oid of a table that may be captured; refuses views, temporary tables and the like.';
