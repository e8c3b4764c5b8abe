-- Putting events: results, rows, errors of every producer function.

select pgq.create_queue('q');
select pgq.create_queue('odd "name" with . and %');
select pgq.insert_event('q', 't', 'd');
select pgq.insert_event('q', null, null);
select pgq.insert_event('q', 't', 'd', 'x1', 'x2', 'x3', 'x4');
select pgq.insert_event('odd "name" with . and %', 't', 'd');
select ev_id, ev_time = now() as now, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4 from pgq.event_template order by tableoid, ev_id;

--! raised in PL/pgSQL; no client reads the class
--= ERROR P0001: No such queue
select pgq.insert_event('none', 't', 'd');
--! raised in PL/pgSQL; no client reads the class
--= ERROR P0001: Queue name must not be NULL
select pgq.insert_event(null, 't', 'd');
--! raised in PL/pgSQL; no client reads the class
--= ERROR P0001: Queue name must not be NULL
select pgq.insert_event_raw(null, null, null, null, null, null, null, null, null, null, null);

-- Explicit ids and times; the sequence moves all the same.
begin;
select pgq.insert_event_raw('q', 777, '2026-01-02 03:04:05+00', 5, 6, 't', 'd', null, null, null, 'x4');
select pgq.insert_event_raw('q', null, null, null, null, 't', 'd', null, null, null, null);
select ev_id, ev_time = now() as now, ev_time = '2026-01-02 03:04:05+00' as given, ev_txid = txid_current() as mine, ev_owner, ev_retry, ev_extra4
  from pgq.event_1 where ev_owner = 5 or ev_extra4 is null and ev_txid = txid_current() order by ev_id;
commit;
select last_value from pgq.event_1_id_seq;
select pgq.insert_event_raw('q', -1, 'infinity', 2147483647, -1, '', '', '', '', '', '');

-- A rolled back event costs its id only.
begin;
select pgq.insert_event('q', 'gone', '');
savepoint s;
select pgq.insert_event('q', 'gone too', '');
rollback to s;
select pgq.insert_event('q', 'gone as well', '');
rollback;
select pgq.insert_event('q', 'stays', '');
select count(*) from pgq.event_1 where ev_type like 'gone%';

-- Where producers write.
select pgq.current_event_table('q');
select pgq.current_event_table('odd "name" with . and %');
select pgq.current_event_table('none');
select pgq.current_event_table(null);
update pgq.queue set queue_disable_insert = true where queue_name = 'q';
select pgq.current_event_table('q');
--! raised in PL/pgSQL; no client reads the class
--= ERROR P0001: Insert into queue disallowed
select pgq.insert_event('q', 't', 'd');
set session_replication_role = local;
--! raised in PL/pgSQL; no client reads the class
--= ERROR P0001: Insert into queue disallowed
select pgq.insert_event('q', 't', 'd');
select pgq.current_event_table('q');
set session_replication_role = replica;
select pgq.current_event_table('q');
select pgq.insert_event('q', 'as replica', 'd') > 0;
reset session_replication_role;
update pgq.queue set queue_disable_insert = false;

-- The limit of events per transaction.
update pgq.queue set queue_per_tx_limit = 2 where queue_name = 'q';
begin;
select pgq.insert_event('q', 'limit', '1') > 0;
savepoint s;
select pgq.insert_event('q', 'limit', '2') > 0;
select pgq.insert_event('odd "name" with . and %', 'limit', 'elsewhere') > 0;
--! raised in PL/pgSQL; no client reads the class
--= ERROR P0001: Queue 'q' allows max 2 events from one TX
select pgq.insert_event('q', 'limit', '3') > 0;
rollback;
begin;
select pgq.insert_event('q', 'limit', '1') > 0;
select pgq.insert_event('q', 'limit', '2') > 0;
commit;
select pgq.insert_event('q', 'limit', 'next transaction') > 0;
update pgq.queue set queue_per_tx_limit = 0 where queue_name = 'q';
--! raised in PL/pgSQL; no client reads the class
--= ERROR P0001: Queue 'q' allows max 0 events from one TX
select pgq.insert_event('q', 'limit', '0');
update pgq.queue set queue_per_tx_limit = null;

-- Helpers.
select pgq.quote_fqname(x) from unnest('{a.b,a.b.C,X,"Ä ö.ü",.b,a.,"","select.from","a.b c"}'::text[]) x;
select pgq.quote_fqname(null);
select pgq.seq_getval('pgq.event_1_tick_seq');
select pgq.seq_getval('pgq.no_such_seq');
select pgq.seq_getval('no.such.seq');
select pgq.seq_getval(null);
select pgq.seq_setval('pgq.event_1_tick_seq', 10), pgq.seq_setval('pgq.event_1_tick_seq', 5), pgq.seq_getval('pgq.event_1_tick_seq');
select pgq.seq_setval('pgq.event_1_tick_seq', null), pgq.seq_setval(null, 1);
select pgq.seq_setval('pgq.no_such_seq', 1);
select nextval('pgq.event_1_tick_seq');
create sequence "Odd Seq";
select pgq.seq_getval('public.Odd Seq'), pgq.seq_setval('Odd Seq', 7), pgq.seq_getval('Odd Seq');
