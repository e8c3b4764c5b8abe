-- SQL that turns one changed row into its event, made from the present catalogue: for hand-made triggers and for generated
-- functions whose table has changed. $1 is the new row, $2 the old one (pass the one there is twice).
-- SECURITY DEFINER only to reach the generator from the writer's side; it reads the catalogue and runs nothing.
-- Gives o0 = true and o1 … o6 = the event's fields, or no row when there is no event.
create or replace function skytools.capture_row_sql(i_table oid, i_kind text, i_op text, i_args text[]) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  e record;
begin
  select * into e from skytools.capture_event(i_table, i_kind, i_op, i_args, '($1)', '($2)', null, null);
  return format('select true as o0, %s as o1, %s as o2, %s as o3, %s as o4, %s as o5, %s as o6%s',
                e.o_fields[1], e.o_fields[2], e.o_fields[3], e.o_fields[4], e.o_fields[5], e.o_fields[6], ' where ' || e.o_when);
end
$$;
comment on function skytools.capture_row_sql(oid, text, text, text[]) is
  'SQL that turns one changed row into its event; $1 is the new row, $2 the old one.';
