-- SQL that captures a statement's transition tables from the present catalogue: run by a generated function whose table has
-- changed since, or whose rows may change again inside a statement.
--
-- The latter: a row trigger or foreign key action may write the same table while the statement still runs; that nested statement
-- is captured first. It leaves its depth in the transaction's setting skytools.nested_<table oid>; the outer statement then
-- adds what is true now, as D and I events of its rows, so that the end state is right whatever the order was.
create or replace function skytools.capture_late(i_queue text, i_table oid, i_kind text, i_op text, i_args text[]) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  c_event constant text := 'select pgq.insert_event(%L, e.o1, e.o2, e.o3, e.o4, e.o5, e.o6) from (%s) e;';
  v_mark text := 'skytools.nested_' || i_table;
  v_reason text := skytools.capture_needs_rows(i_table);
  v_side text := case i_op when 'DELETE' then 'skytools_old' else 'skytools_new' end;
  v_nested int;
  v_join text;
  v_sql text;
  v_now text;
begin
  if v_reason in ('partitioned', 'inheritance') then
    return format('select skytools.capture_fail(%L) from %s limit 1',
                  format('table %s has got inheritance relatives, its capture must be renewed: select skytools.renew_captures(%L)',
                         i_table::regclass, i_queue), v_side);
  end if;
  v_sql := format(c_event, i_queue, skytools.capture_rows(i_table, i_kind, i_op, i_args));
  if v_reason is null and not skytools.capture_needs_repair(i_table) then
    return v_sql;
  end if;
  v_nested := nullif(current_setting(v_mark, true), '')::int;
  perform set_config(v_mark, case when pg_trigger_depth() > 1 then pg_trigger_depth()::text else '' end, true);
  if v_nested > pg_trigger_depth() then
    select string_agg(format('not (%s)', skytools.capture_distinct('x.' || k.o_quoted, 'n.' || k.o_quoted, k.o_base)),
                      ' and ') into v_join
      from skytools.capture_columns(i_table, (skytools.capture_options(i_args)).o_pkey) k where k.o_key is not null;
    if v_join is not null then
      if i_op <> 'DELETE' then
        v_sql := v_sql || format(c_event, i_queue, skytools.capture_rows(i_table, i_kind, 'DELETE', i_args, 'skytools_new o'));
      end if;
      v_now := format('(select x.* from only %s x where exists (select from %s n where %s)) n', i_table::regclass, v_side, v_join);
      v_sql := v_sql || format(c_event, i_queue, skytools.capture_rows(i_table, i_kind, 'INSERT', i_args, v_now));
    end if;
  end if;
  return v_sql;
end
$$;
comment on function skytools.capture_late(text, oid, text, text, text[]) is
  'SQL that captures a statement''s transition tables from the present catalogue.';
