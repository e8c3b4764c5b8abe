-- The SQL expressions of one event: what a capture trigger writes for one changed row.
--
-- o_fields: ev_type, ev_data, ev_extra1 … ev_extra4 as SQL texts; o_when: SQL condition under which there is an event, NULL for
-- always. i_new, i_old: SQL of the rows (i_new for INSERT and UPDATE, i_old for UPDATE and DELETE;
-- an UPDATE with NULL i_old leaves the check of the key to the caller). i_schema, i_name: SQL
-- texts of the table's name; NULL bakes the present name in. Magic columns replace fields, expression arguments replace both.
create or replace function skytools.capture_event(
    i_table oid, i_kind text, i_op text, i_args text[], i_new text, i_old text, i_schema text, i_name text,
    out o_fields text[], out o_when text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  c_names constant text[] := '{ev_type,ev_data,ev_extra1,ev_extra2,ev_extra3,ev_extra4}';
  opt record;
  c record;
  v_row text := case when i_op = 'DELETE' then i_old else i_new end;
  v_schema text := i_schema;
  v_name text := i_name;
  v_columns text[] := '{}';
  v_key text[] := '{}';
  v_moved text;    -- a key column changed
  v_changed text;  -- a column of the image changed
  v_hidden text;   -- an ignored or magic column changed
  v_refused text;  -- the error when one of the key did
  v_bound text;
begin
  select * into opt from skytools.capture_options(i_args);
  if v_schema is null then
    select quote_literal(n.nspname), quote_literal(r.relname) into v_schema, v_name
      from pg_class r join pg_namespace n on n.oid = r.relnamespace where r.oid = i_table;
  end if;
  o_fields := array_fill('null::text'::text, array[6]);

  for c in select * from skytools.capture_columns(i_table, opt.o_pkey, opt.o_ignore) loop
    v_columns := v_columns || c.o_name;
    if c.o_key is not null then
      v_key[c.o_key] := c.o_name;
    end if;
    if c.o_magic is not null then
      o_fields[array_position(c_names, c.o_magic)] := skytools.capture_text(v_row || '.' || c.o_quoted, c.o_base);
    end if;
    if i_op = 'UPDATE' and i_old is not null then
      v_bound := skytools.capture_distinct(i_new || '.' || c.o_quoted, i_old || '.' || c.o_quoted, c.o_base);
      v_moved := case when c.o_key is null or c.o_magic is not null then v_moved else concat(v_moved || ' or ', v_bound) end;
      v_changed := case when c.o_data then concat(v_changed || ' or ', v_bound) else v_changed end;
      v_hidden := case when c.o_data then v_hidden else concat(v_hidden || ' or ', v_bound) end;
    end if;
  end loop;
  v_key := coalesce(opt.o_pkey, v_key);
  perform skytools.capture_check_key(i_table, opt.o_pkey);

  -- What the kind writes, where no magic column did.
  if o_fields[1] = 'null::text' then
    o_fields[1] := case i_kind
      when 'jsontriga' then
        format('%L || pg_catalog.to_json(%s::text) || '','' || pg_catalog.to_json(%s::text) || %L',
               format('{"op":"%s","table":[', i_op), v_schema, v_name, format('],"pkey":%s}', to_json(v_key)))
      when 'sqltriga' then quote_literal(left(i_op, 1))
      else quote_literal(left(i_op, 1) || ':' || coalesce(opt.o_pkey_text, array_to_string(v_key, ','))) end;
  end if;
  if o_fields[2] = 'null::text' then
    o_fields[2] := case when i_kind = 'sqltriga'
      then skytools.capture_partial_sql(i_table, i_op, opt.o_pkey, opt.o_ignore, v_row, i_old)
      else skytools.capture_image(i_table, i_kind, opt.o_pkey, opt.o_ignore, v_row) end;
  end if;
  if o_fields[3] = 'null::text' then
    o_fields[3] := case when i_schema is null then (select quote_literal(n.nspname || '.' || r.relname)
      from pg_class r join pg_namespace n on n.oid = r.relnamespace where r.oid = i_table)
      else format('%s || ''.'' || %s', i_schema, i_name) end;
  end if;
  if o_fields[4] = 'null::text' and opt.o_backup and i_op = 'UPDATE' then
    o_fields[4] := skytools.capture_image(i_table, i_kind, opt.o_pkey, opt.o_ignore, i_old);
  end if;
  for i in 1 .. 6 loop
    if opt.o_expressions ? c_names[i] then
      o_fields[i] := skytools.capture_override(opt.o_expressions ->> c_names[i], v_columns, v_row);
    end if;
  end loop;

  -- As in the original: without ignore= only sqltriga holds back an update that changes nothing but magic columns.
  if v_hidden is not null and (opt.o_ignore <> '{}' or i_kind = 'sqltriga') then
    o_when := format('(%s or not (%s))', coalesce(v_changed, 'false'), v_hidden);
  end if;
  if opt.o_expressions ? 'when' then
    o_when := concat(o_when || ' and ', format('skytools.capture_when(array(select x from (select %s' || E'\n) s(x)))',
                                               skytools.capture_bind(opt.o_expressions ->> 'when', v_columns, v_row)));
  end if;
  -- Checks of the key come before everything else: in the condition, or where there is none as part of the event type.
  if i_op <> 'INSERT' and v_key = '{}' then
    v_refused := 'Update/Delete on table without pkey';
    v_moved := 'true';
  elsif v_moved is not null then
    v_refused := 'primary key update not allowed';
  end if;
  if v_refused is not null and o_when is not null then
    o_when := format('case when %s then skytools.capture_fail(%L) is null else %s end', v_moved, v_refused, o_when);
  elsif v_refused is not null then
    o_fields[1] := format('case when %s then skytools.capture_fail(%L) else %s end', v_moved, v_refused, o_fields[1]);
  end if;
end
$$;
comment on function skytools.capture_event(oid, text, text, text[], text, text, text, text) is
  'The SQL expressions of one event: what a capture trigger writes for one changed row.';
