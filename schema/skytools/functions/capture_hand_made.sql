-- What pgq.logutriga, pgq.sqltriga and pgq.jsontriga do with one firing: checks (XX000), then the SQL of the event.
--
-- o_sql: as capture_row_sql; o_skip: the row change is to be suppressed. i_argv: all trigger arguments, queue first.
-- SECURITY DEFINER only to reach the generator; it reads the catalogue and runs nothing of the caller's.
create or replace function skytools.capture_hand_made(
    i_table oid, i_kind text, i_level text, i_when text, i_op text, i_argv text[], out o_sql text, out o_skip boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  opt record;
  v_args text[] := array(select a from unnest(i_argv) with ordinality as x(a, nr) where nr > 1 order by nr);
  v_schema text;
  v_name text;
begin
  if coalesce(array_length(i_argv, 1), 0) = 0 then
    raise exception 'pgq trigger must have destination queue as argument' using errcode = 'XX000';
  elsif i_level <> 'ROW' and i_op <> 'TRUNCATE' then
    raise exception 'pgq Ins/Upd/Del trigger must be fired FOR EACH ROW' using errcode = 'XX000';
  end if;
  select * into opt from skytools.capture_options(v_args);
  select n.nspname, r.relname into v_schema, v_name
    from pg_class r join pg_namespace n on n.oid = r.relnamespace where r.oid = i_table;
  o_skip := opt.o_skip;
  if opt.o_skip and i_when = 'AFTER' then
    raise exception 'SKIP does not work in AFTER trigger.' using errcode = 'XX000';
  elsif i_op = 'TRUNCATE' then
    perform skytools.capture_check_truncate(v_args);
  end if;
  if opt.o_deny then
    raise exception 'Table ''%.%'' to queue ''%'': change not allowed (%)', v_schema, v_name, i_argv[array_lower(i_argv, 1)], i_op
      using errcode = 'XX000';
  end if;
  if i_op <> 'TRUNCATE' then
    o_sql := skytools.capture_row_sql(i_table, i_kind, i_op, v_args);
    return;
  end if;
  o_sql := format('select true as o0, %s as o1, %L as o2, %L as o3, null::text as o4, null::text as o5, null::text as o6',
                  case i_kind when 'jsontriga'
                    then (select e.o_fields[1] from skytools.capture_event(i_table, i_kind, i_op, v_args, 'n', 'o', null, null) e)
                    else quote_literal('R') end,
                  case i_kind when 'jsontriga' then '{}' else '' end, v_schema || '.' || v_name);
end
$$;
comment on function skytools.capture_hand_made(oid, text, text, text, text, text[]) is
  'Checks and event SQL of one firing of a hand-made pgq trigger.';
