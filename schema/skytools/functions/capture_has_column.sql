-- Does the table have a column of that number now, whatever the transaction's snapshot shows? Answered from the server's own cache.
-- Before PostgreSQL 14 has_column_privilege() says true for any number to whoever has the privilege on the whole table, and
-- pg_identify_object() fails where there is no such column.
create or replace function skytools.capture_has_column(i_table regclass, i_number smallint) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('server_version_num')::int >= 140000 then
    return has_column_privilege(i_table, i_number, 'select') is not null;
  end if;
  perform pg_identify_object('pg_class'::regclass, i_table, i_number);
  return true;
exception when internal_error then
  return false;
end
$$;
comment on function skytools.capture_has_column(regclass, smallint) is
  'Does the table have a column of that number now, whatever the snapshot of the transaction shows?';
