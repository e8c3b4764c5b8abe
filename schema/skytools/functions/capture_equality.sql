-- The equality operator of a type as `operator(schema.name)`, or NULL when values are to be compared by text.
--
-- It is that of the type's own default btree class, or of the class of all ranges, multiranges or rows; a row needs one for each of
-- its columns. Arrays have none, as in the original, nor have json, point and the like; enums need none.
-- i_base: below domains.
create or replace function skytools.capture_equality(i_base oid) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  v_type record;
  v_operator text;
begin
  select t.typtype, t.typrelid into v_type from pg_type t where t.oid = i_base;
  if v_type.typtype in ('r', 'm') then
    return 'operator(pg_catalog.=)';
  elsif v_type.typtype = 'c' then
    return case when not exists (
      select from pg_attribute a join pg_type f on f.oid = skytools.base_type(a.atttypid)
       where a.attrelid = v_type.typrelid and a.attnum > 0 and not a.attisdropped
         and f.typtype <> 'e'
         and skytools.capture_equality(case when f.typcategory = 'A' then skytools.base_type(f.typelem) else f.oid end) is null)
      then 'operator(pg_catalog.=)' end;
  end if;
  select format('operator(%I.%s)', n.nspname, o.oprname) into v_operator
    from pg_opclass c
    join pg_am m on m.oid = c.opcmethod and m.amname = 'btree'
    join pg_amop p on p.amopfamily = c.opcfamily and p.amoplefttype = i_base and p.amoprighttype = i_base and p.amopstrategy = 3
    join pg_operator o on o.oid = p.amopopr
    join pg_namespace n on n.oid = o.oprnamespace
   where c.opcintype = i_base and c.opcdefault;
  return v_operator;
end
$$;
comment on function skytools.capture_equality(oid) is 'The equality operator by which capture compares values of a type; NULL: by text.';
