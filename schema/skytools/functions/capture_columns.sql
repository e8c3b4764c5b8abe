-- The columns of a table as capture sees them, in attribute order; dropped columns are left out.
--
-- o_quoted: always in quotes, because PL/pgSQL does not take its own keywords (new.by) where quote_ident sees no need.
-- o_key:   position in the key list (1, 2, …), NULL outside the key. Without i_pkey the key is the primary key, its names read
--          from the table (an index keeps a column's old name after a rename).
-- o_magic: the event field a `_pgq_ev_*` column stands for; such columns are never data. Unknown ones are an error (XX000).
-- o_data:  belongs to the row image: neither ignored nor magic.
-- o_base:  the type below any domains; it decides how the output function is reached.
create or replace function skytools.capture_columns(i_table oid, i_pkey text[] default null, i_ignore text[] default '{}')
returns table (o_name text, o_quoted text, o_type oid, o_base oid, o_key int, o_magic text, o_data boolean)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return query
    with recursive
      pk as (select array_agg(k.attnum order by k.nr) as cols
               from pg_index x, unnest(x.indkey::int2[]) with ordinality as k(attnum, nr)
              where x.indrelid = i_table and x.indisprimary and k.nr <= x.indnkeyatts),
      att as (select a.attnum, a.attname::text as name, a.atttypid
                from pg_attribute a
               where a.attrelid = i_table and a.attnum > 0 and not a.attisdropped
                 and a.attgenerated <> 'v'),  -- virtual columns (PostgreSQL 18) have no value in a transition table
      base(declared, reached) as (
        select distinct atttypid, atttypid from att
        union all
        select b.declared, t.typbasetype from base b join pg_type t on t.oid = b.reached where t.typtype = 'd')
    select a.name, '"' || replace(a.name, '"', '""') || '"', a.atttypid, b.reached,
           case when i_pkey is null then array_position(pk.cols, a.attnum) else array_position(i_pkey, a.name) end,
           case when starts_with(a.name, '_pgq_ev_') then
             case when a.name ~ '^_pgq_ev_(type|data|extra[1-4])$' then substr(a.name, 6)
                  else skytools.capture_fail('Unknown magic column: ' || a.name) end
           end,
           not (a.name = any (i_ignore)) and not starts_with(a.name, '_pgq_ev_')
      from att a
      cross join pk
      join base b on b.declared = a.atttypid
      join pg_type t on t.oid = b.reached and t.typtype <> 'd'
     order by a.attnum;
end
$$;
comment on function skytools.capture_columns(oid, text[], text[]) is
  'The columns of a table as capture sees them: base type, place in the key, magic event field, part of the row image.';
