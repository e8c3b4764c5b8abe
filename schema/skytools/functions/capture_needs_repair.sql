-- True when rows of a table can change again inside the statement that changes them: a foreign key that refers to its
-- columns outside the primary key acts ON UPDATE (cascade, set null, set default), perhaps back on the same table.
create or replace function skytools.capture_needs_repair(i_table oid) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
  select exists (select 1 from pg_constraint c
                  where c.contype = 'f' and c.confrelid = i_table and c.confupdtype in ('c', 'n', 'd')
                    and not exists (select 1 from pg_index x where x.indexrelid = c.conindid and x.indisprimary))
$$;
comment on function skytools.capture_needs_repair(oid) is
  'True when a foreign key action may change a table''s rows again inside the statement that changes them.';
