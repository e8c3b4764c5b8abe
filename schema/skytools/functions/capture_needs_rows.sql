-- Why a table can not have statement level capture, or NULL when it can.
--
-- Relatives: a statement on a parent does not fire a child's statement triggers, nor the other way round. Row triggers: what
-- another AFTER ROW trigger changes would be captured before the statement that fired it; capture as a row trigger keeps its
-- place among them by name.
create or replace function skytools.capture_needs_rows(i_table oid) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case
    when r.relkind = 'p' then 'partitioned'
    when exists (select 1 from pg_inherits i where i_table in (i.inhrelid, i.inhparent)) then 'inheritance'
    when exists (select 1 from pg_trigger t
                  where t.tgrelid = i_table and not t.tgisinternal and (t.tgtype & 1) = 1 and (t.tgtype & 66) = 0
                    and not skytools.is_capture_func(t.tgfoid)
                    and t.tgfoid not in (select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                                          where n.nspname = 'pgq' and p.proname in ('logutriga', 'sqltriga', 'jsontriga')))
      then 'row triggers'
    end
    from pg_class r where r.oid = i_table
$$;
comment on function skytools.capture_needs_rows(oid) is 'Why a table can not have statement level capture, or NULL.';
