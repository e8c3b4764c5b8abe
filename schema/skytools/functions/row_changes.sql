-- The columns in which two rows of i_table differ, NULLs being equal to each other: by the equality of the column's type, or by text
-- where it has none (see capture_distinct). i_new_values, i_old_values: their texts (row_values), side by side with i_names.
--
-- Only a value whose text has changed can differ, and for most types then it does. The rest (1.0 and 1.00, 1 mon and 30 days,
-- texts of a collation that ignores case) is asked with a query of its own.
create or replace function skytools.row_changes(
    i_table oid, i_names text[], i_new record, i_old record, i_new_values text[], i_old_values text[]) returns text[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  c record;
  v_differ boolean;
  v_changes text[] := '{}';
begin
  for c in
    select x.name, a.atttypid as type,
           a.atttypid = any ('{bool,int2,int4,int8,oid,text,varchar,uuid,bytea,date,timestamp,timestamptz}'::regtype[])
             and a.attcollation in (0, 100, 950) as by_text  -- none, "default", "C"
      from unnest(i_names, i_new_values, i_old_values) with ordinality x(name, new, old, nr)
      join pg_attribute a on a.attrelid = i_table and a.attname = x.name
     where x.new is distinct from x.old
     order by x.nr
  loop
    v_differ := true;
    if not c.by_text then
      execute 'select ' || skytools.capture_distinct(format('($1).%I', c.name), format('($2).%I', c.name), skytools.base_type(c.type))
         into v_differ using i_new, i_old;
    end if;
    if v_differ then
      v_changes := v_changes || c.name;
    end if;
  end loop;
  return v_changes;
end
$$;
comment on function skytools.row_changes(oid, text[], record, record, text[], text[]) is 'The columns in which two rows of a table differ.';
