-- Re-creates the captures of a queue (NULL: all) that no longer fit their tables; returns how many captures changed.
-- Disabled triggers that are otherwise right stay disabled; captures of queues that are gone are left to check_captures.
create or replace function skytools.renew_captures(i_queue text default null) returns int
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  c record;
  v_count int := 0;
begin
  for c in select r.* from skytools.capture_requests(i_queue) r join pgq.queue q on q.queue_name = r.o_queue loop
    if skytools.apply_capture(c.o_queue, c.o_table, c.o_trigger, c.o_kind, c.o_timing, c.o_ops, c.o_args) > 0 then
      v_count := v_count + 1;
    end if;
  end loop;
  return v_count;
end
$$;
comment on function skytools.renew_captures(text) is 'Re-creates the captures of a queue that no longer fit their tables; returns how many.';
