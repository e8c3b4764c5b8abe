-- SQL that tells whether two values of a type differ, NULLs being equal to each other.
--
-- By the type's equality (capture_equality), named with its schema because generated functions pin their search_path
-- (citext lives anywhere), or by text.
create or replace function skytools.capture_distinct(i_a text, i_b text, i_base oid) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_operator text := skytools.capture_equality(i_base);
begin
  if v_operator is null then
    return format('(%s) is distinct from (%s)', skytools.capture_text(i_a, i_base), skytools.capture_text(i_b, i_base));
  elsif v_operator = 'operator(pg_catalog.=)' then
    return format('%s is distinct from %s', i_a, i_b);
  end if;
  return format('(%1$s is null) <> (%2$s is null) or not (%1$s %3$s %2$s)', i_a, i_b, v_operator);
end
$$;
comment on function skytools.capture_distinct(text, text, oid) is
  'SQL that tells whether two column values differ, by the type''s own equality or else by text.';
