-- Who writes queues may keep track of what was done, through the functions alone.
\ir ../pgq/helpers.psql

create role ext_writer in role pgq_writer; create role ext_reader in role pgq_reader; create role ext_plain;
set role ext_writer;
select public.expect($$select pgq_ext.set_batch_done('c', 1), pgq_ext.is_batch_done('c', 1), pgq_ext.set_event_done('c', 2, 3),
                              pgq_ext.is_event_done('c', 2, 3), pgq_ext.set_last_tick('c', 4), pgq_ext.get_last_tick('c')$$, 't,t,t,t,1,4');
select public.expect($$select pgq_ext.set_batch_done('c', 's', 1), pgq_ext.is_batch_done('c', 's', 1), pgq_ext.set_event_done('c', 's', 2, 3),
                              pgq_ext.is_event_done('c', 's', 2, 3), pgq_ext.set_last_tick('c', 's', 4), pgq_ext.get_last_tick('c', 's'),
                              pgq_ext.upgrade_schema()$$, 't,t,t,t,1,4,0');
reset role;

create function denied(i_role text, i_sql text) returns void language plpgsql as $$
begin
  perform set_config('role', i_role, true);
  perform public.expect_error(i_sql, 'permission denied for %', '42501');
  perform set_config('role', 'none', true);
end $$;
select denied(role, 'select pgq_ext.' || call)
  from unnest('{ext_reader,ext_plain}'::text[]) role,
       unnest(array[$$set_batch_done('c', 1)$$, $$set_batch_done('c', 's', 1)$$, $$is_batch_done('c', 1)$$, $$is_batch_done('c', 's', 1)$$,
                    $$set_event_done('c', 2, 3)$$, $$set_event_done('c', 's', 2, 3)$$, $$is_event_done('c', 2, 3)$$,
                    $$is_event_done('c', 's', 2, 3)$$, $$set_last_tick('c', 4)$$, $$set_last_tick('c', 's', 4)$$,
                    $$get_last_tick('c')$$, $$get_last_tick('c', 's')$$, 'upgrade_schema()']) call;
select denied(role, 'select * from pgq_ext.' || name)
  from unnest('{ext_writer,ext_reader,ext_plain}'::text[]) role,
       unnest('{completed_tick,completed_batch,completed_event,partial_batch}'::text[]) name;
set role ext_plain;
select public.expect($$select pgq_ext.version()$$, '3.1');
reset role;
drop role ext_writer, ext_reader, ext_plain;
