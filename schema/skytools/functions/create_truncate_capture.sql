-- Captures TRUNCATE of a table into a queue as an event of type R. i_args: {deny} or nothing; arguments of row triggers make
-- no sense here and are refused (XX000). Returns the trigger name. Rights and idempotence: as skytools.create_capture.
create or replace function skytools.create_truncate_capture(
    i_queue text, i_table text, i_trigger text, i_args text[]) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
  perform skytools.capture_check_truncate(i_args);
  if (skytools.capture_options(i_args)).o_skip then
    raise exception 'SKIP does not work in AFTER trigger.' using errcode = 'XX000';
  end if;
  perform skytools.apply_capture(i_queue, skytools.capture_table(i_table), i_trigger, 'sqltriga', 'after', 'T', coalesce(i_args, '{}'));
  return i_trigger;
end
$$;
comment on function skytools.create_truncate_capture(text, text, text, text[]) is
  'Captures TRUNCATE of a table into a queue as an event of type R.';
