-- The values of a row as texts, in the order of its columns, made by the output functions of their types; NULL stays NULL.
--
-- The row's own text form holds just that, so one parse serves every type, without dynamic SQL: `(1,"a ""b""",,"")`, where a
-- value is in double quotes if it is empty or holds a quote, backslash, comma, parenthesis or blank, with " and \ doubled.
-- The output settings (DateStyle …) are the caller's matter. Limit: the row's text has at most 256 million characters.
create or replace function skytools.row_values(i_row record) returns text[]
language plpgsql stable strict as $$
declare
  c_value constant text := '("(?:[^"\\]|""|\\\\)*"|[^,()"]*)[,)]';
  v_row text collate "C" := i_row::pg_catalog.text;
begin
  if pg_catalog.strpos(v_row, '"') operator(pg_catalog.=) 0 then
    return pg_catalog.string_to_array(pg_catalog.btrim(v_row, '()'), ',', '');
  end if;
  return array(
    select case when pg_catalog.left(v[1], 1) operator(pg_catalog.=) '"'
                then pg_catalog.replace(pg_catalog.replace(pg_catalog.substr(v[1], 2, pg_catalog.length(v[1]) operator(pg_catalog.-) 2),
                                                           '""', '"'), E'\\\\', E'\\')
                else nullif(v[1], '') end
      from pg_catalog.regexp_matches(v_row, c_value, 'g') v);
end
$$;
comment on function skytools.row_values(record) is 'The values of a row as the output functions of their types give them.';
