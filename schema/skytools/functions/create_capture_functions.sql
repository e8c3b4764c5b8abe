-- Creates or replaces the functions of a capture (see capture_plan) as the owner of this schema; unchanged ones are left alone.
-- Returns how many were written. The functions' comments hold the request as JSON, from which it is renewed.
--
-- SECURITY DEFINER because pgq_admin may register tables but not create functions here; the bodies are made from the plan alone,
-- and those with expression arguments run with the writer's rights.
create or replace function skytools.create_capture_functions(
    i_queue text, i_table oid, i_trigger text, i_kind text, i_timing text, i_ops text, i_args text[]) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  p record;
  v_comment text := jsonb_build_object('queue', i_queue, 'table', i_table::regclass, 'trigger', i_trigger, 'kind', i_kind,
                                       'timing', i_timing, 'ops', i_ops, 'args', i_args);
  v_other text;
  v_count int := 0;
begin
  -- The functions are named by queue and table alone, and two captures would write every event twice.
  select r.request ->> 'trigger' into v_other
    from skytools.capture_triggers(i_table) x
   cross join lateral (select case when x.o_function <> 'skytools.capture_deny'::regproc
                                   then obj_description(x.o_function, 'pg_proc')::jsonb end as request) r
   where r.request ->> 'queue' = i_queue and r.request ->> 'trigger' <> i_trigger
     and (r.request ->> 'ops' = 'T') = (i_ops = 'T');
  if found then
    raise exception 'table % is already captured into queue "%" by trigger %', i_table::regclass, i_queue, v_other
      using errcode = '42710', hint = 'Remove that capture first: skytools.drop_capture.';
  end if;
  for p in select * from skytools.capture_plan(i_queue, i_table, i_trigger, i_kind, i_timing, i_ops, i_args)
            where o_function is not null loop
    continue when skytools.capture_matches(p.o_function, p.o_body, p.o_header, v_comment);
    execute format('create or replace function skytools.%I() returns trigger language plpgsql %s as %L',
                   p.o_function, p.o_header, p.o_body);
    execute format('comment on function skytools.%I() is %L', p.o_function, v_comment);
    execute format('revoke all on function skytools.%I() from public', p.o_function);
    execute format('grant execute on function skytools.%I() to pgq_writer', p.o_function);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
comment on function skytools.create_capture_functions(text, oid, text, text, text, text, text[]) is
  'Creates or replaces the functions of a capture; returns how many changed.';
