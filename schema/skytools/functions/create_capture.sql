-- Captures the changes of a table into a queue: creates or replaces its triggers and their functions.
--
-- i_table: `schema.name`, unquoted. i_trigger: base name, e.g. _londiste_<queue>. i_kind: logutriga, sqltriga or jsontriga.
-- i_timing: before or after. i_ops: letters of IUD. i_args: further trigger arguments (see pgq.logutriga): {deny},
-- {ev_extra1='public.orig'}, {SKIP}, {backup}, {ignore=a,b}, {pkey=a,b}, {when=…}. Returns the base trigger name.
-- Needs the right to create triggers on the table and pgq_admin. What already is as it should be is not touched.
--
-- Rights of a writer: capture without expression arguments writes as this schema's owner, so it works for everybody who may write
-- the table; with expressions it runs as the writer, who then needs pgq_writer (42501 otherwise).
create or replace function skytools.create_capture(
    i_queue text, i_table text, i_trigger text, i_kind text, i_timing text, i_ops text, i_args text[]) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  v_table oid := skytools.capture_table(i_table);
  v_kind text := lower(i_kind);
  v_timing text := lower(i_timing);
  -- in the order I, U, D whatever the caller's
  v_ops text := array_to_string(array(select op from unnest('{I,U,D}'::text[]) op where strpos(upper(i_ops), op) > 0), '');
begin
  if v_kind not in ('logutriga', 'sqltriga', 'jsontriga') or v_timing not in ('before', 'after') or v_ops = '' or i_ops ~* '[^IUD]' then
    raise exception 'create_capture: bad kind, timing or operations: %, %, %', i_kind, i_timing, i_ops using errcode = '22023';
  elsif v_timing = 'after' and (skytools.capture_options(i_args)).o_skip then
    raise exception 'SKIP does not work in AFTER trigger.' using errcode = 'XX000';
  end if;
  perform skytools.apply_capture(i_queue, v_table, i_trigger, v_kind, v_timing, v_ops, coalesce(i_args, '{}'));
  return i_trigger;
end
$$;
comment on function skytools.create_capture(text, text, text, text, text, text, text[]) is
  'Captures the changes of a table into a queue: creates or replaces the triggers and their generated functions.';
