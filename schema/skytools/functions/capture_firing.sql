-- What one firing of pgq.logutriga, pgq.sqltriga or pgq.jsontriga is to put into the queue: checks (XX000), then the event.
--
-- o_fields: ev_type, ev_data, ev_extra1 … ev_extra4; NULL when there is no event. o_skip: the row change is to be suppressed.
-- o_asks: SQL to evaluate with the writer's search_path, the row being $1: 1 … 6 replace the field of that place, 7 is when=.
-- i_argv: all trigger arguments, the queue first. i_new, i_old: as in the trigger, NULL where it has none.
--
-- It reads the catalogue at each firing, so ALTER TABLE and changes of the key are noticed at once, and goes by value texts
-- (row_values), so that nothing but static SQL runs for a row whose trigger has no expression arguments. plan_cache_mode: its
-- queries are so small that planning them again for the arrays at hand would cost more than running them.
create or replace function skytools.capture_firing(
    i_kind text, i_table oid, i_when text, i_level text, i_op text, i_argv text[], i_new record, i_old record,
    out o_fields text[], out o_skip boolean, out o_asks text[])
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  c_asks constant text[] := '{ev_type,ev_data,ev_extra1,ev_extra2,ev_extra3,ev_extra4,when}';
  opt record;
  t record;
  v_key text[];
  v_hidden text[];  -- columns that are not data: ignored and magic ones
  v_changed text[];
  v_new text[];
  v_old text[];
  v_row text[];
  v_name text;
begin
  if coalesce(array_length(i_argv, 1), 0) = 0 then
    raise exception 'pgq trigger must have destination queue as argument' using errcode = 'XX000';
  elsif i_level <> 'ROW' and i_op <> 'TRUNCATE' then
    raise exception 'pgq Ins/Upd/Del trigger must be fired FOR EACH ROW' using errcode = 'XX000';
  end if;
  select * into opt from skytools.capture_options(i_argv[array_lower(i_argv, 1) + 1 :]);
  o_skip := opt.o_skip;
  if i_op = 'TRUNCATE' then
    perform skytools.capture_check_truncate(i_argv[array_lower(i_argv, 1) + 1 :]);
  end if;

  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    perform skytools.capture_refuse_stale(i_table);
  end if;
  select * into t from skytools.capture_relation(i_table);
  v_key := coalesce(opt.o_pkey, t.o_key);
  v_hidden := opt.o_ignore || t.o_magic || t.o_virtual;

  if i_op in ('UPDATE', 'DELETE') and v_key = '{}' then
    raise exception 'Update/Delete on table without pkey' using errcode = 'XX000';
  elsif opt.o_skip and i_when = 'AFTER' then
    raise exception 'SKIP does not work in AFTER trigger.' using errcode = 'XX000';
  elsif opt.o_deny then
    raise exception 'Table ''%.%'' to queue ''%'': change not allowed (%)', t.o_schema, t.o_name, i_argv[array_lower(i_argv, 1)], i_op
      using errcode = 'XX000';
  elsif not v_key <@ t.o_columns then
    perform skytools.capture_check_key(i_table, v_key);
  end if;
  o_fields[3] := t.o_schema || '.' || t.o_name;
  o_fields[1] := skytools.capture_event_type(i_kind, i_op, t.o_schema, t.o_name, v_key, opt.o_pkey_text);
  if i_op = 'TRUNCATE' then
    o_fields[2] := case i_kind when 'jsontriga' then '{}' else '' end;
    return;
  end if;

  v_new := skytools.row_values(i_new);
  v_old := skytools.row_values(i_old);
  v_row := coalesce(v_new, v_old);
  if i_op = 'UPDATE' then
    v_changed := skytools.row_changes(i_table, t.o_columns, i_new, i_old, v_new, v_old);
    if v_changed && v_key and exists (select unnest(v_changed) intersect select unnest(v_key) except select unnest(t.o_magic)) then
      raise exception 'primary key update not allowed' using errcode = 'XX000';
    -- As in the original: without ignore= only sqltriga holds back an update that changes nothing but magic columns.
    elsif (opt.o_ignore <> '{}' or i_kind = 'sqltriga') and v_changed <> '{}' and v_changed <@ v_hidden then
      o_fields := null;
      return;
    end if;
  end if;

  o_fields[2] := case i_kind when 'sqltriga' then skytools.row_partial_sql(i_op, t.o_columns, v_row, v_old, v_key, v_hidden, v_changed)
                             else skytools.row_image(i_kind, t.o_columns, t.o_types, v_row, v_hidden) end;
  if opt.o_backup and i_op = 'UPDATE' then
    o_fields[4] := skytools.row_image(i_kind, t.o_columns, t.o_types, v_old, v_hidden);
  end if;
  foreach v_name in array t.o_magic loop
    if v_name !~ '^_pgq_ev_(type|data|extra[1-4])$' then
      raise exception 'Unknown magic column: %', v_name using errcode = 'XX000';
    end if;
    o_fields[array_position(c_asks, substr(v_name, 6))] := v_row[array_position(t.o_columns, v_name)];
  end loop;
  if opt.o_expressions <> '{}' then
    for i in 1 .. 7 loop
      o_asks[i] := 'select ' || skytools.capture_bind(opt.o_expressions ->> c_asks[i], t.o_columns, '($1)');
    end loop;
    o_asks[7] := 'select x, pg_catalog.pg_typeof(x)::pg_catalog.oid from (' || o_asks[7] || E'\n) s(x)';
  end if;
end
$$;
comment on function skytools.capture_firing(text, oid, text, text, text, text[], record, record) is
  'The event of one firing of a hand-made pgq trigger.';
