-- SQL for a column value in the encoding of row images (skytools.urlencode); NULL stays NULL.
--
-- A type whose output holds few special bytes skips the test and the general encoder: numbers, bool and uuid need nothing,
-- dates (always ISO, see capture_settings) only what ISO can contain, bytea (always hex) only its backslash.
create or replace function skytools.capture_urlencoded(i_value text, i_base oid) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_text text := skytools.capture_text(i_value, i_base);
begin
  case
    when i_base in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'oid'::regtype, 'numeric'::regtype, 'uuid'::regtype,
                    'bool'::regtype) then
      return v_text;
    when i_base = 'date'::regtype then      -- 0044-03-15 BC
      return format('pg_catalog.replace(%s, '' '', ''+'')', v_text);
    when i_base in ('float4'::regtype, 'float8'::regtype) then  -- 1e+20
      return format('pg_catalog.replace(%s, ''+'', ''%%2b'')', v_text);
    when i_base in ('timestamp'::regtype, 'timestamptz'::regtype, 'time'::regtype, 'timetz'::regtype, 'interval'::regtype) then
      return format('pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(%s, ''+'', ''%%2b''), '':'', ''%%3a''),'
                    ' '' '', ''+'')', v_text);
    when i_base = 'bytea'::regtype then
      return format('pg_catalog.replace(%s, E''\\'', ''%%5c'')', v_text);
    else
      return format('skytools.urlencode(%s)', v_text);
  end case;
end
$$;
comment on function skytools.capture_urlencoded(text, oid) is
  'SQL for a column value, percent-encoded for a row image.';
