-- Body of pgq.logutriga, pgq.sqltriga and pgq.jsontriga (i_kind): puts the event of one firing into the queue.
-- False: the row change is to be suppressed (SKIP). The other arguments are the trigger's own TG_ values, NEW and OLD.
--
-- Under session_replication_role `local` nothing happens, not even checks. Expression arguments run here, with the writer's rights
-- and search_path, each as `select E`, which must give one row; its first column counts. All of them run before when= is looked at.
-- Errors: those of capture_firing, of pgq.insert_event and, XX000, Expect 1 row from override query, got <n> ·
--   when= should not be NULL · when= query result must be boolean, got=<type oid>.
--
-- The SET clauses make values independent of the writer's output settings, but for lc_monetary. TimeZone stays the writer's:
-- ISO output names the zone.
create or replace function skytools.capture_by_hand(
    i_kind text, i_table oid, i_when text, i_level text, i_op text, i_argv text[], i_new record, i_old record) returns boolean
language plpgsql
set datestyle = ISO set intervalstyle = postgres set bytea_output = hex set extra_float_digits = 3 as $$
declare
  f record;
  v_row record := coalesce(i_new, i_old);
  v_answer record;
  v_count bigint;
  v_values text[];
begin
  if pg_catalog.current_setting('session_replication_role') operator(pg_catalog.=) 'local' then
    return true;
  end if;
  select * into f from skytools.capture_firing(i_kind, i_table, i_when, i_level, i_op, i_argv, i_new, i_old);
  if f.o_fields is null then
    return not f.o_skip;
  end if;
  for i in 1 .. coalesce(pg_catalog.array_length(f.o_asks, 1), 0) loop
    continue when f.o_asks[i] is null;
    execute f.o_asks[i] into v_answer using v_row;
    get diagnostics v_count = row_count;
    if v_count operator(pg_catalog.<>) 1 then
      raise exception 'Expect 1 row from override query, got %', v_count using errcode = 'XX000';
    end if;
    v_values := skytools.row_values(v_answer);
    if i operator(pg_catalog.<>) 7 then
      f.o_fields[i] := v_values[1];
    elsif v_values[2] operator(pg_catalog.<>) '16' then
      raise exception 'when= query result must be boolean, got=%', v_values[2] using errcode = 'XX000';
    elsif v_values[1] is null then
      raise exception 'when= should not be NULL' using errcode = 'XX000';
    elsif v_values[1] operator(pg_catalog.=) 'f' then
      return not f.o_skip;
    end if;
  end loop;
  perform pgq.insert_event(i_argv[pg_catalog.array_lower(i_argv, 1)], f.o_fields[1], f.o_fields[2], f.o_fields[3],
                           f.o_fields[4], f.o_fields[5], f.o_fields[6]);
  return not f.o_skip;
end
$$;
comment on function skytools.capture_by_hand(text, oid, text, text, text, text[], record, record) is
  'Puts the event of one firing of a hand-made pgq trigger into its queue.';
