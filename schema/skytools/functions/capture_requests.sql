-- The captures that exist, as they were asked for: read from the comments of the functions behind the triggers, so that
-- renamed tables and restored dumps are found too. Capture by deny alone has nothing to renew and is not listed.
create or replace function skytools.capture_requests(i_queue text default null)
returns table (o_queue text, o_table oid, o_name text, o_trigger text, o_kind text, o_timing text, o_ops text, o_args text[])
language sql stable set search_path = pg_catalog, pg_temp as $$
  select distinct r.request ->> 'queue', t.tgrelid, n.nspname || '.' || c.relname, r.request ->> 'trigger', r.request ->> 'kind',
         r.request ->> 'timing', r.request ->> 'ops', array(select jsonb_array_elements_text(r.request -> 'args'))
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_proc p on p.oid = t.tgfoid and p.proname <> 'capture_deny'
   cross join lateral (select obj_description(p.oid, 'pg_proc')::jsonb as request) r
   where skytools.is_capture_func(t.tgfoid) and not t.tgisinternal
     and (i_queue is null or r.request ->> 'queue' = i_queue)
   order by 1, 3, 4
$$;
comment on function skytools.capture_requests(text) is 'The captures that exist, as they were asked for.';
