-- SQL for an event field given by an expression argument: its value's text by the output function, from exactly one row.
--
-- A plain string literal is itself, so that it needs neither a sub-select nor the writer's rights (see capture_is_plain).
create or replace function skytools.capture_override(i_expression text, i_columns text[], i_row text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when skytools.capture_is_plain(i_expression) then i_expression
    else format('skytools.capture_one_row(array(select case when x is distinct from null then pg_catalog.format(''%%s'', x) end'
                ' from (select %s' || E'\n) s(x)))', skytools.capture_bind(i_expression, i_columns, i_row)) end
$$;
comment on function skytools.capture_override(text, text[], text) is 'SQL for an event field given by an expression argument.';
