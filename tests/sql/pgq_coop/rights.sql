-- Consumers may work in groups; nobody else may, and everybody may ask for the version.
\ir helpers.psql

create role coop_reader in role pgq_reader; create role coop_writer in role pgq_writer; create role coop_plain;
select pgq.create_queue('q');
call add_batch('one');

set role coop_reader;
select public.expect($$select pgq_coop.register_subconsumer('q', 'm', 'a')$$, '1');
reset role;
call add_batch('two');
set role coop_reader;
select public.expect($$select pgq_coop.next_batch('q', 'm', 'a')$$, '1');
select public.expect($$select public.batch_data(1)$$, 'two');
select public.expect($$select pgq.event_retry(1, 2, 0)$$, '1');
select public.expect($$select pgq_coop.unregister_subconsumer('q', 'm', 'a', 2)$$, '1');
select public.expect($$select pgq_coop.next_batch_custom('q', 'm', 'b', null, 1, null, '1 hour')$$, '2');
select public.expect($$select pgq_coop.finish_batch(2)$$, '1');
select public.expect($$select pgq.unregister_consumer('q', 'm.b'), pgq.unregister_consumer('q', 'm')$$, '1,1');
reset role;

create function denied(i_role text, i_call text) returns void language plpgsql as $$
begin
  perform set_config('role', i_role, true);
  perform public.expect_error('select pgq_coop.' || i_call, 'permission denied for function %', '42501');
  perform set_config('role', 'none', true);
end $$;
select denied(role, call)
  from unnest('{coop_writer,coop_plain}'::text[]) role,
       unnest(array[$$register_subconsumer('q', 'm', 'a')$$, $$unregister_subconsumer('q', 'm', 'a', 0)$$,
                    $$next_batch('q', 'm', 'a')$$, $$next_batch('q', 'm', 'a', '1 s')$$,
                    $$next_batch_custom('q', 'm', 'a', null, null, null)$$,
                    $$next_batch_custom('q', 'm', 'a', null, null, null, null)$$, $$finish_batch(1)$$]) call;
set role coop_plain;
select public.expect($$select pgq_coop.version() is not null$$, 't');
reset role;
drop role coop_reader, coop_writer, coop_plain;
