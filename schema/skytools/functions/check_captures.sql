-- What is wrong with the captures of a queue (NULL: of all queues): one row per trigger that is missing, disabled, or whose
-- generated function no longer fits its table. Empty when all is well. `trigger` is the base name, for create_capture.
create or replace function skytools.check_captures(i_queue text default null)
returns table (queue text, "table" text, trigger text, problem text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  c record;
  p record;
  x record;
begin
  for c in select * from skytools.capture_requests(i_queue) loop
    queue := c.o_queue;
    "table" := c.o_name;
    trigger := c.o_trigger;
    if not exists (select from pgq.queue q where q.queue_name = c.o_queue) then
      problem := 'the queue is gone';
      return next;
      continue;
    end if;
    for p in select * from skytools.capture_plan(c.o_queue, c.o_table, c.o_trigger, c.o_kind, c.o_timing, c.o_ops, c.o_args) loop
      select * into x from skytools.capture_triggers(c.o_table, c.o_trigger) t where t.o_trigger = p.o_trigger;
      problem := case
        when x.o_oid is null then format('trigger %s is missing', p.o_trigger)
        when obj_description(x.o_oid, 'pg_trigger') is distinct from md5(p.o_definition)
          then format('trigger %s is out of date', p.o_trigger)
        when p.o_function is not null and not skytools.capture_matches(p.o_function, p.o_body, p.o_header, null)
          then format('function of trigger %s is out of date', p.o_trigger)
        when x.o_enabled = 'D' then format('trigger %s is disabled', p.o_trigger) end;
      if problem is not null then
        return next;
      end if;
    end loop;
    for x in select * from skytools.capture_triggers(c.o_table, c.o_trigger) t
              where t.o_trigger not in (select p2.o_trigger from skytools.capture_plan(
                      c.o_queue, c.o_table, c.o_trigger, c.o_kind, c.o_timing, c.o_ops, c.o_args) p2) loop
      problem := format('trigger %s is out of date', x.o_trigger);
      return next;
    end loop;
  end loop;
end
$$;
comment on function skytools.check_captures(text) is 'What is wrong with the captures of a queue; empty when all is well.';
