-- The result of a when= argument: one row, boolean, not NULL (all else is XX000). The second form catches other types.
create or replace function skytools.capture_when(i_values boolean[]) returns boolean
language plpgsql immutable as $$
begin
  if coalesce(array_length(i_values, 1), 0) <> 1 then
    raise exception 'Expect 1 row from override query, got %', coalesce(array_length(i_values, 1), 0) using errcode = 'XX000';
  elsif i_values[1] is null then
    raise exception 'when= should not be NULL' using errcode = 'XX000';
  end if;
  return i_values[1];
end
$$;
comment on function skytools.capture_when(boolean[]) is 'The result of a when= argument.';

create or replace function skytools.capture_when(i_values anyarray) returns boolean
language plpgsql immutable as $$
begin
  raise exception 'when= query result must be boolean, got=%',
    (select t.typelem from pg_catalog.pg_type t where t.oid = pg_catalog.pg_typeof(i_values)) using errcode = 'XX000';
end
$$;
comment on function skytools.capture_when(anyarray) is 'The error of a when= argument that is not boolean.';
