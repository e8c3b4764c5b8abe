-- True while the table still is what its capture function was generated from.
--
-- Declared immutable although it reads the catalogue, and called with a regclass constant: the planner folds the call into a
-- constant of the caller's cached expression, and the server drops that plan at every ALTER TABLE, key, trigger or inheritance
-- change of the named table. So one session asks the catalogue once per change and not once per statement.
-- A snapshot taken before the change (REPEATABLE READ) would show the old catalogue while the server already works with the new
-- one; what can be compared without a snapshot (names, number of columns, the file that a change of type rewrites) is, and a
-- difference is 40001: the transaction must be retried.
create or replace function skytools.capture_is_fresh(i_table regclass, i_fingerprint text) returns boolean
language plpgsql immutable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    if exists (select 1
                 from pg_class r
                where r.oid = i_table
                  and (pg_relation_filenode(r.oid) is distinct from nullif(r.relfilenode, 0)
                       or skytools.capture_has_column(r.oid, (r.relnatts + 1)::int2)
                       or exists (select 1 from pg_attribute a
                                   where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
                                     and (pg_identify_object('pg_class'::regclass, r.oid, a.attnum)).identity
                                         is distinct from format('%s.%I', (pg_identify_object('pg_class'::regclass, r.oid, 0)).identity,
                                                                 a.attname)))) then
      raise exception 'table % was altered after this transaction took its snapshot', i_table
        using errcode = '40001', hint = 'Retry the transaction.';
    end if;
  end if;
  return skytools.capture_fingerprint(i_table) is not distinct from i_fingerprint;
end
$$;
comment on function skytools.capture_is_fresh(regclass, text) is
  'True while a table still is what its capture function was generated from; folded into cached plans.';
