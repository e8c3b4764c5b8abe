-- SQL for the data of sqltriga: `(c,…) values (v,…)`, `c=v,… where k=kv and …` or `k=kv and …`.
--
-- Every value is a quoted literal; a NULL is `null` on insert and `NULL` on update; keys come from the old row and must not
-- be NULL. An update that changes nothing repeats the first key column, so that the statement stays valid.
-- i_new, i_old: SQL of the rows; i_op: INSERT, UPDATE or DELETE.
create or replace function skytools.capture_partial_sql(
    i_table oid, i_op text, i_pkey text[], i_ignore text[], i_new text, i_old text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  c record;
  v_new text;
  v_old text;
  v_names text;
  v_values text[] := '{}';
  v_changes text[] := '{}';
  v_keys text[] := '{}';
begin
  for c in select * from skytools.capture_columns(i_table, i_pkey, i_ignore) loop
    v_new := i_new || '.' || c.o_quoted;
    v_old := i_old || '.' || c.o_quoted;
    if c.o_data then
      v_names := concat(v_names || ',', quote_ident(c.o_name));
      v_values := v_values || case when v_values = '{}' then '''''' else ''',''' end
                || format('coalesce(pg_catalog.quote_literal(%s), ''null'')', skytools.capture_text(v_new, c.o_base));
    end if;
    if c.o_key is not null then
      v_keys := v_keys || quote_literal(case when v_keys = '{}' then '' else ' and ' end || quote_ident(c.o_name) || '=')
              || format('coalesce(pg_catalog.quote_literal(%s), skytools.capture_fail(''logtriga: Unexpected NULL key value''))',
                        skytools.capture_text(v_old, c.o_base));
    elsif c.o_data then
      v_changes := v_changes || format('case when %s then %s || coalesce(pg_catalog.quote_literal(%s), ''NULL'') end',
                                       skytools.capture_distinct(v_new, v_old, c.o_base),
                                       quote_literal(',' || quote_ident(c.o_name) || '='),
                                       skytools.capture_text(v_new, c.o_base));
    end if;
  end loop;
  if i_op = 'INSERT' then
    return skytools.capture_concat(quote_literal('(' || coalesce(v_names, '') || ') values (') || v_values || ''')'''::text);
  elsif v_keys = '{}' then
    return 'skytools.capture_fail(''Update/Delete on table without pkey'')';
  elsif i_op = 'DELETE' then
    return skytools.capture_concat(v_keys);
  end if;
  -- Each change starts with a comma; the first one is cut off.
  return format('pg_catalog.concat(coalesce(nullif(pg_catalog.substr(%s, 2), ''''), pg_catalog.concat(%s, %s)), '' where '', %s)',
                skytools.capture_concat(v_changes), v_keys[1], v_keys[2], skytools.capture_concat(v_keys));
end
$$;
comment on function skytools.capture_partial_sql(oid, text, text[], text[], text, text) is
  'SQL for the partial statement that sqltriga puts into ev_data.';
