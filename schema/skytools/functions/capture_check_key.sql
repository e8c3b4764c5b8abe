-- Refuses a pkey= that names a column which the table i_table does not have (42703): its events would name no row.
create or replace function skytools.capture_check_key(i_table oid, i_key text[]) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_missing text;
begin
  select k into v_missing
    from unnest(i_key) k
   where not exists (select from pg_attribute a where a.attrelid = i_table and a.attname = k and a.attnum > 0 and not a.attisdropped);
  if found then
    raise exception 'pkey= names column "%", which table % does not have', v_missing, i_table::regclass using errcode = '42703';
  end if;
end
$$;
comment on function skytools.capture_check_key(oid, text[]) is 'Refuses a pkey= that names a column which the table does not have.';
