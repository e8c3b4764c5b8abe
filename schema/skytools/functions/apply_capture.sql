-- Brings functions and triggers of a capture to their plan (see capture_plan); returns the number of things changed.
--
-- A trigger whose definition is right keeps its place and its enabled state; a replaced one is enabled as the old one was,
-- except that a disabled one comes back. The table is locked only when a trigger changes.
create or replace function skytools.apply_capture(
    i_queue text, i_table oid, i_trigger text, i_kind text, i_timing text, i_ops text, i_args text[]) returns int
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  p record;
  t record;
  v_enabled "char";
  v_kept text[] := '{}';
  v_count int;
begin
  select max(o_enabled) filter (where o_enabled in ('A', 'R')) into v_enabled from skytools.capture_triggers(i_table, i_trigger);
  v_count := skytools.create_capture_functions(i_queue, i_table, i_trigger, i_kind, i_timing, i_ops, i_args);
  for p in select * from skytools.capture_plan(i_queue, i_table, i_trigger, i_kind, i_timing, i_ops, i_args) loop
    v_kept := v_kept || p.o_trigger;
    continue when exists (select from skytools.capture_triggers(i_table, i_trigger) x
                           where x.o_trigger = p.o_trigger and obj_description(x.o_oid, 'pg_trigger') = md5(p.o_definition));
    v_count := v_count + 1;
    if exists (select from skytools.capture_triggers(i_table, i_trigger) x where x.o_trigger = p.o_trigger) then
      execute format('drop trigger %I on %s', p.o_trigger, i_table::regclass);
    end if;
    execute p.o_definition;
    execute format('comment on trigger %I on %s is %L', p.o_trigger, i_table::regclass, md5(p.o_definition));
    if v_enabled is not null then
      execute format('alter table %s enable %s trigger %I', i_table::regclass,
                     case v_enabled when 'A' then 'always' else 'replica' end, p.o_trigger);
    end if;
  end loop;
  for t in select * from skytools.capture_triggers(i_table, i_trigger) where o_trigger <> all (v_kept) loop
    execute format('drop trigger %I on %s', t.o_trigger, i_table::regclass);
    v_count := v_count + 1;
  end loop;
  perform skytools.drop_unused_captures();
  return v_count;
end
$$;
comment on function skytools.apply_capture(text, oid, text, text, text, text, text[]) is
  'Brings functions and triggers of a capture to their plan.';
