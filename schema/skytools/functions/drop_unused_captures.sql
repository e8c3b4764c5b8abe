-- Drops generated capture functions that no trigger uses: of dropped tables, dropped captures or another level. Returns how many.
-- SECURITY DEFINER for the same reason as create_capture_functions; nothing that is in use can be dropped.
create or replace function skytools.drop_unused_captures() returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_function oid;
  v_count int := 0;
begin
  for v_function in
    select p.oid from pg_proc p
     where p.pronamespace = 'skytools'::regnamespace and skytools.is_capture_func(p.oid) and p.proname <> 'capture_deny'
       and not exists (select from pg_trigger t where t.tgfoid = p.oid)
  loop
    execute format('drop function %s', v_function::regprocedure);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
comment on function skytools.drop_unused_captures() is 'Drops generated capture functions that no trigger uses.';
