-- Trigger function of tables that only replication may change (argument deny). First trigger argument: the queue.
-- Under session_replication_role `local` it does nothing, under `replica` ordinary triggers do not fire.
create or replace function skytools.capture_deny() returns trigger
language plpgsql as $$
begin
  if pg_catalog.current_setting('session_replication_role') <> 'local' then
    raise exception 'Table ''%.%'' to queue ''%'': change not allowed (%)', tg_table_schema, tg_table_name, tg_argv[0], tg_op
      using errcode = 'XX000';
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  return new;
end
$$;
comment on function skytools.capture_deny() is 'Trigger function that refuses changes to a subscriber''s table.';
