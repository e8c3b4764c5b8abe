-- The only element of i_values: the value of an expression argument, which must give exactly one row (XX000).
create or replace function skytools.capture_one_row(i_values text[]) returns text
language plpgsql immutable as $$
begin
  if coalesce(array_length(i_values, 1), 0) <> 1 then
    raise exception 'Expect 1 row from override query, got %', coalesce(array_length(i_values, 1), 0) using errcode = 'XX000';
  end if;
  return i_values[1];
end
$$;
comment on function skytools.capture_one_row(text[]) is 'The only element of an array; the value of an expression argument.';
