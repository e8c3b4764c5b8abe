-- The type below any domains.
create or replace function skytools.base_type(i_type oid) returns oid
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_type oid := i_type;
  v_below oid := i_type;
begin
  while v_below <> 0 loop
    v_type := v_below;
    v_below := coalesce((select t.typbasetype from pg_type t where t.oid = v_type), 0);
  end loop;
  return v_type;
end
$$;
comment on function skytools.base_type(oid) is 'The type below any domains.';
