-- SQL for the image of one row: `name=value&…` (logutriga, and the backup of sqltriga) or `{"name":value,…}` (jsontriga).
--
-- i_row: SQL of the row, e.g. `n`, `new`, `($1)`. Formats: see pgq.logutriga and pgq.jsontriga.
create or replace function skytools.capture_image(
    i_table oid, i_kind text, i_pkey text[], i_ignore text[], i_row text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  c record;
  v_value text;
  v_parts text[] := '{}';
  v_separator text := '';
begin
  for c in select * from skytools.capture_columns(i_table, i_pkey, i_ignore) where o_data loop
    v_value := i_row || '.' || c.o_quoted;
    if i_kind = 'jsontriga' then
      v_parts := v_parts || quote_literal(v_separator || to_json(c.o_name) || ':')
                         || skytools.capture_json(v_value, c.o_type, c.o_base);
      v_separator := ',';
    else
      v_parts := v_parts || quote_literal(v_separator || skytools.urlencode(c.o_name))
                         || ('''='' || ' || skytools.capture_urlencoded(v_value, c.o_base));
      v_separator := '&';
    end if;
  end loop;
  if i_kind = 'jsontriga' then
    return skytools.capture_concat(array['''{''']::text[] || v_parts || '''}'''::text);
  end if;
  return skytools.capture_concat(v_parts);
end
$$;
comment on function skytools.capture_image(oid, text, text[], text[], text) is
  'SQL for the url-encoded or JSON image of one row.';
