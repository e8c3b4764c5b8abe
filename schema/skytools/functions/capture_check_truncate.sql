-- Refuses arguments that make no sense for a truncate trigger (XX000).
create or replace function skytools.capture_check_truncate(i_args text[]) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  opt record;
begin
  select * into opt from skytools.capture_options(i_args);
  if opt.o_expressions <> '{}' then
    raise exception 'Custom expressions do not make sense for truncater trigger' using errcode = 'XX000';
  elsif opt.o_ignore <> '{}' then
    raise exception 'Column ignore does not make sense for truncate trigger' using errcode = 'XX000';
  elsif opt.o_pkey is not null then
    raise exception 'Custom pkey_list does not make sense for truncate trigger' using errcode = 'XX000';
  elsif opt.o_backup then
    raise exception 'Backup does not make sense for truncate trigger' using errcode = 'XX000';
  end if;
end
$$;
comment on function skytools.capture_check_truncate(text[]) is 'Refuses arguments that make no sense for a truncate trigger.';
