-- Fails with 40001 when this transaction's snapshot is older than the present form of the table i_table.
--
-- Under REPEATABLE READ the catalogue reads as it was while the server already writes rows of the new form. What can be compared
-- without a snapshot (names, number of columns, the file that a change of type rewrites) is.
create or replace function skytools.capture_refuse_stale(i_table oid) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
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
    raise exception 'table % was altered after this transaction took its snapshot', i_table::regclass
      using errcode = '40001', hint = 'Retry the transaction.';
  end if;
end
$$;
comment on function skytools.capture_refuse_stale(oid) is
  'Fails with 40001 when a table was altered after this transaction took its snapshot.';
