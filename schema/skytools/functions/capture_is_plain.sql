-- True when an expression argument is nothing but one string literal ('public.orig'): it runs no code, so a capture
-- function may evaluate it with its owner's rights. No backslashes: their meaning depends on standard_conforming_strings.
create or replace function skytools.capture_is_plain(i_expression text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select i_expression ~ '^''([^''\\]|'''')*''$'
$$;
comment on function skytools.capture_is_plain(text) is 'True when an expression argument is nothing but one string literal.';
