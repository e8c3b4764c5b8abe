-- The captures that exist, as they were asked for: read from the comments of the functions behind the triggers, so that
-- renamed tables and restored dumps are found too. Capture by deny alone has nothing to renew and is not listed.
create or replace function skytools.capture_requests(i_queue text default null)
returns table (o_queue text, o_table oid, o_name text, o_trigger text, o_kind text, o_timing text, o_ops text, o_args text[])
language sql stable set search_path = pg_catalog, pg_temp as $$
  with used as materialized (
      select distinct t.tgrelid, x.o_function
        from (select distinct tgrelid from pg_trigger where skytools.is_capture_func(tgfoid)) t
       cross join lateral skytools.capture_triggers(t.tgrelid) x
       where x.o_function <> 'skytools.capture_deny'::regproc),
    request as materialized (
      select distinct u.tgrelid, obj_description(u.o_function, 'pg_proc')::jsonb as r from used u)
  select q.r ->> 'queue', q.tgrelid, n.nspname || '.' || c.relname, q.r ->> 'trigger', q.r ->> 'kind', q.r ->> 'timing', q.r ->> 'ops',
         array(select jsonb_array_elements_text(q.r -> 'args'))
    from request q
    join pg_class c on c.oid = q.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
   where i_queue is null or q.r ->> 'queue' = i_queue
   order by 1, 3, 4
$$;
comment on function skytools.capture_requests(text) is 'The captures that exist, as they were asked for.';
