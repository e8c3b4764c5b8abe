-- The data of sqltriga: `(c,…) values (v,…)`, `c=v,… where k=kv and …` or `k=kv and …`.
--
-- Names and values (see row_values) go side by side; i_row is the new row, or the old one of a DELETE; i_changed names the columns
-- that an UPDATE changed. Every value is a quoted literal; a NULL is `null` on insert and `NULL` on update. Key columns come in
-- the table's order, from the old row, and must not be NULL (XX000). An update that changes nothing repeats the first of them, so
-- that the statement stays valid.
create or replace function skytools.row_partial_sql(
    i_op text, i_names text[], i_row text[], i_old text[], i_key text[], i_hidden text[], i_changed text[]) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_where text[];
  v_set text;
begin
  if i_op = 'INSERT' then
    return (
      select format('(%s) values (%s)', string_agg(quote_ident(c.name), ',' order by c.nr),
                    string_agg(coalesce(quote_literal(c.value), 'null'), ',' order by c.nr))
        from unnest(i_names, i_row) with ordinality c(name, value, nr)
       where c.name <> all (i_hidden));
  end if;
  select array_agg(quote_ident(c.name) || '=' || coalesce(quote_literal(c.value),
                     skytools.capture_fail('logtriga: Unexpected NULL key value')) order by c.nr)
    into v_where
    from unnest(i_names, i_old) with ordinality c(name, value, nr)
   where c.name = any (i_key);
  if i_op = 'DELETE' then
    return array_to_string(v_where, ' and ');
  end if;
  select string_agg(quote_ident(c.name) || '=' || coalesce(quote_literal(c.value), 'NULL'), ',' order by c.nr)
    into v_set
    from unnest(i_names, i_row) with ordinality c(name, value, nr)
   where c.name = any (i_changed) and c.name <> all (i_key) and c.name <> all (i_hidden);
  return coalesce(v_set, v_where[1]) || ' where ' || array_to_string(v_where, ' and ');
end
$$;
comment on function skytools.row_partial_sql(text, text[], text[], text[], text[], text[], text[]) is
  'The partial SQL statement that sqltriga makes of one changed row.';
