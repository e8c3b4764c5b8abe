-- The existing triggers of a capture: those of base name i_trigger, or all of the table when it is NULL.
-- A row level or truncate trigger has the base name itself, statement level ones and the guard have a suffix; a trigger that
-- merely looks like that (queue qa_insert beside queue qa) differs in its transition table.
-- The copies that a partitioned table's trigger has on the partitions depend on it and are not listed.
create or replace function skytools.capture_triggers(i_table oid, i_trigger text default null)
returns table (o_oid oid, o_trigger text, o_function oid, o_enabled "char")
language sql stable set search_path = pg_catalog, pg_temp as $$
  select t.oid, t.tgname::text, t.tgfoid, t.tgenabled
    from pg_trigger t
   where t.tgrelid = i_table and not t.tgisinternal and skytools.is_capture_func(t.tgfoid)
     and not exists (select from pg_depend d
                      where d.classid = 'pg_trigger'::regclass and d.objid = t.oid and d.refclassid = 'pg_trigger'::regclass)
     and (i_trigger is null
          or t.tgname = skytools.capture_trigger_name(i_trigger, '') and t.tgnewtable is null and t.tgoldtable is null
          or (t.tgnewtable is not null or t.tgoldtable is not null)
             and t.tgname in (select skytools.capture_trigger_name(i_trigger, s)
                                from unnest(array['_insert', '_update', '_delete', '_guard_drop_capture_first']) s))
$$;
comment on function skytools.capture_triggers(oid, text) is 'The existing triggers of a capture.';
