-- SQL of a query over a statement's transition tables (skytools_old, skytools_new) that gives its events in row order:
-- o1 … o6 = ev_type, ev_data, ev_extra1 … ev_extra4. i_from: other rows instead, named n (o for a DELETE).
--
-- An update whose events need the new row only checks its keys as sets: an old key that is not among the new ones has changed.
-- (Two rows that swap keys pass, and their events say so.) Otherwise old and new rows are paired by position: the server
-- appends both at once, so position n is one row's before and after, and a pair whose keys differ is a changed key.
-- FULL JOIN on purpose: it can not become a nested loop, which a plan cached for one row would be for a million.
create or replace function skytools.capture_rows(
    i_table oid, i_kind text, i_op text, i_args text[], i_from text default null) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  opt record;
  e record;
  v_from text;
  v_old_keys text;
  v_new_keys text;
  v_paired boolean;
begin
  select * into opt from skytools.capture_options(i_args);
  select i_op = 'UPDATE' and (i_kind = 'sqltriga' or opt.o_backup or opt.o_ignore <> '{}'),
         string_agg(skytools.capture_comparable('o.' || c.o_quoted, c.o_base), ', ') filter (where c.o_key is not null),
         string_agg(skytools.capture_comparable('n.' || c.o_quoted, c.o_base), ', ') filter (where c.o_key is not null)
    into v_paired, v_old_keys, v_new_keys
    from skytools.capture_columns(i_table, opt.o_pkey, opt.o_ignore) c;
  select * into e from skytools.capture_event(i_table, i_kind, i_op, i_args, 'n',
                                              case when i_op = 'DELETE' or v_paired then 'o' end, null, null);
  if i_op = 'UPDATE' and not v_paired and v_old_keys is not null then
    e.o_fields[1] := format('case when exists (select %s from skytools_old o except select %s from skytools_new n)'
                            ' then skytools.capture_fail(''primary key update not allowed'') else %s end',
                            v_old_keys, v_new_keys, e.o_fields[1]);
  end if;
  v_from := case when i_from is not null then i_from else case i_op
    when 'INSERT' then 'skytools_new n'
    when 'DELETE' then 'skytools_old o'
    when 'UPDATE' then case when not v_paired then 'skytools_new n' else
         '(select *, row_number() over () as skytools_nr from skytools_new) n'
         ' full join (select *, row_number() over () as skytools_nr from skytools_old) o on o.skytools_nr = n.skytools_nr' end end end;
  return format(E'select %s as o1,\n         %s as o2,\n         %s as o3, %s as o4, %s as o5, %s as o6\n    from %s%s%s',
                e.o_fields[1], e.o_fields[2], e.o_fields[3], e.o_fields[4], e.o_fields[5], e.o_fields[6],
                v_from, E'\n   where ' || e.o_when, case when v_paired then E'\n   order by n.skytools_nr' end);
end
$$;
comment on function skytools.capture_rows(oid, text, text, text[], text) is
  'SQL of a query over a statement''s transition tables that gives its events in row order.';
