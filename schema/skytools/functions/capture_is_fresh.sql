-- True while the table still is what its capture function was generated from.
--
-- Declared immutable although it reads the catalogue, and called with a regclass constant: the planner folds the call into a
-- constant of the caller's cached expression, and the server drops that plan at every ALTER TABLE, key, trigger or inheritance
-- change of the named table. So one session asks the catalogue once per change and not once per statement.
-- A snapshot older than the change would show the old catalogue: capture_refuse_stale, 40001.
create or replace function skytools.capture_is_fresh(i_table regclass, i_fingerprint text) returns boolean
language plpgsql immutable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    perform skytools.capture_refuse_stale(i_table);
  end if;
  return skytools.capture_fingerprint(i_table) is not distinct from i_fingerprint;
end
$$;
comment on function skytools.capture_is_fresh(regclass, text) is
  'True while a table still is what its capture function was generated from; folded into cached plans.';
