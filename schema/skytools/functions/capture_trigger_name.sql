-- Name of one trigger of a capture: the base name and a suffix, shortened with a hash to PostgreSQL's 63 bytes.
create or replace function skytools.capture_trigger_name(i_trigger text, i_suffix text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  v_base text := i_trigger;
begin
  if octet_length(v_base) + octet_length(i_suffix) > 63 then
    while octet_length(v_base) + octet_length(i_suffix) + 9 > 63 loop
      v_base := left(v_base, -1);
    end loop;
    v_base := v_base || '_' || left(md5(i_trigger), 8);
  end if;
  return v_base || i_suffix;
end
$$;
comment on function skytools.capture_trigger_name(text, text) is 'Name of one trigger of a capture.';
