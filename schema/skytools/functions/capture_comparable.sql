-- SQL of a value in a form that sets can compare: itself where its type has a default btree class of its own, else its text.
create or replace function skytools.capture_comparable(i_value text, i_base oid) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when exists (select 1 from pg_opclass c join pg_am m on m.oid = c.opcmethod and m.amname = 'btree'
                            where c.opcintype = i_base and c.opcdefault)
              then i_value else skytools.capture_text(i_value, i_base) end
$$;
comment on function skytools.capture_comparable(text, oid) is 'SQL of a value in a form that sets can compare.';
