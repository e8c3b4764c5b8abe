-- Removes a capture: the triggers of base name i_trigger on i_table (`schema.name`, unquoted) and their functions.
-- Nothing to drop is no error; neither is a table that is gone.
create or replace function skytools.drop_capture(i_table text, i_trigger text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  v_table regclass := to_regclass(pgq.quote_fqname(i_table));
  t record;
begin
  for t in select * from skytools.capture_triggers(v_table, i_trigger) loop
    execute format('drop trigger %I on %s', t.o_trigger, v_table);
  end loop;
  perform skytools.drop_unused_captures();
end
$$;
comment on function skytools.drop_capture(text, text) is 'Removes the triggers of a capture and their functions.';
