-- SQL for a column value in the row image of jsontriga; never NULL.
--
-- The *declared* type decides: int2/4/8 are numbers, bool is true or false, date and timestamps are ISO 8601 strings;
-- everything else, domains included, is a string of the output function's text.
create or replace function skytools.capture_json(i_value text, i_type oid, i_base oid) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  case
    when i_type in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) then
      return format('coalesce(%s::pg_catalog.text, ''null'')', i_value);
    when i_type = 'bool'::regtype then
      return format('case when %1$s then ''true'' when not %1$s then ''false'' else ''null'' end', i_value);
    when i_type in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) then
      return format('coalesce(pg_catalog.to_json(%s)::pg_catalog.text, ''null'')', i_value);
    else
      return format('coalesce(pg_catalog.to_json(%s)::pg_catalog.text, ''null'')', skytools.capture_text(i_value, i_base));
  end case;
end
$$;
comment on function skytools.capture_json(text, oid, oid) is 'SQL for a column value in the JSON row image.';
