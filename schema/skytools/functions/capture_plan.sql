-- The triggers and functions that make up the capture of one table for one queue.
--
-- o_trigger, o_definition: trigger name and its CREATE TRIGGER; o_function: name of its function in schema skytools (NULL: shared,
-- nothing to create), o_body and o_header: what that function has to be. Statement level where it is safe, else one row trigger:
-- see capture_needs_rows; BEFORE, SKIP and expression arguments need a row trigger too. i_ops = 'T' is the truncate capture.
-- Every trigger carries the queue and the arguments, as a hand-made one would, for tools that read them.
create or replace function skytools.capture_plan(
    i_queue text, i_table oid, i_trigger text, i_kind text, i_timing text, i_ops text, i_args text[])
returns table (o_trigger text, o_definition text, o_function text, o_body text, o_header text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  opt record;
  q record;
  c_ops constant jsonb := '{"I": "insert", "U": "update", "D": "delete", "T": "truncate"}';
  c_definer constant text := 'security definer set search_path = pg_catalog, pg_temp ';
  v_arguments text := (select string_agg(quote_literal(a), ', ') from unnest(i_queue || i_args) a);
  v_settings text := skytools.capture_settings(i_table);
  v_base text := skytools.capture_trigger_name(i_trigger, '');
  v_events text;
  v_direct boolean;
  v_op text;
begin
  select * into opt from skytools.capture_options(i_args);
  select string_agg(c_ops ->> op, ' or ' order by nr) into v_events from unnest(string_to_array(i_ops, null)) with ordinality as o(op, nr);

  if opt.o_deny then
    return query select v_base, format('create trigger %I %s %s on %s for each %s execute function skytools.capture_deny(%s)',
      v_base, i_timing, v_events, i_table::regclass, case i_ops when 'T' then 'statement' else 'row' end, v_arguments), null, null, null;
    return;
  end if;

  select * into q from pgq.queue where queue_name = i_queue;
  if not found then
    raise exception 'No such queue' using errcode = 'XX000', detail = i_queue;
  end if;
  o_function := format('capture_%s_%s_', q.queue_id, i_table);

  if i_ops = 'T' then
    return query select v_base, format('create trigger %I after truncate on %s for each statement execute function skytools.%I(%s)',
      v_base, i_table::regclass, o_function || 't', v_arguments), o_function || 't', skytools.capture_truncate_body(i_queue), c_definer;
    return;
  end if;

  -- Expressions run with the writer's rights and search_path; magic columns and plain literals are no code.
  v_direct := not exists (select from jsonb_each_text(opt.o_expressions) e where e.key = 'when' or not skytools.capture_is_plain(e.value));
  if i_timing = 'before' or not v_direct or skytools.capture_needs_rows(i_table) is not null then
    return query select v_base, format('create trigger %I %s %s on %s for each row execute function skytools.%I(%s)',
      v_base, i_timing, v_events, i_table::regclass, o_function || 'r', v_arguments), o_function || 'r',
      skytools.capture_row_body(i_queue, i_table, i_kind, i_timing, i_ops, i_args, v_direct),
      case when v_direct then c_definer else '' end || v_settings;
    return;
  end if;

  foreach v_op in array string_to_array(i_ops, null) loop
    o_trigger := skytools.capture_trigger_name(i_trigger, '_' || (c_ops ->> v_op));
    return query select o_trigger,
      format('create trigger %I after %s on %s referencing %s for each statement execute function skytools.%I(%s)',
             o_trigger, c_ops ->> v_op, i_table::regclass,
             case v_op when 'I' then 'new table as skytools_new' when 'D' then 'old table as skytools_old'
                       else 'old table as skytools_old new table as skytools_new' end,
             o_function || lower(v_op), v_arguments),
      o_function || lower(v_op),
      skytools.capture_statement_body(i_queue, i_table, i_kind,
                                      case v_op when 'I' then 'INSERT' when 'U' then 'UPDATE' else 'DELETE' end, i_args),
      c_definer || v_settings;
  end loop;
  -- A row trigger with a transition table never fires here, but it makes ATTACH PARTITION and INHERIT fail, which would end
  -- the capture silently; the server's error shows the trigger's name.
  v_op := left(i_ops, 1);
  o_trigger := skytools.capture_trigger_name(i_trigger, '_guard_drop_capture_first');
  return query select o_trigger,
    format('create trigger %I after %s on %s referencing %s for each row when (false) execute function skytools.%I(%s)',
           o_trigger, c_ops ->> v_op, i_table::regclass,
           case v_op when 'D' then 'old table as skytools_old' else 'new table as skytools_new' end,
           o_function || lower(v_op), v_arguments), null::text, null::text, null::text;
end
$$;
comment on function skytools.capture_plan(text, oid, text, text, text, text, text[]) is
  'The triggers and functions that make up the capture of one table for one queue.';
