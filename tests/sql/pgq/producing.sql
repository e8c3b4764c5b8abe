-- insert_event, insert_event_raw and current_event_table: ids, columns, refusals, the limit per transaction.
\ir helpers.psql

select pgq.create_queue('q');
select expect($$select pgq.insert_event('q', 't', 'd')$$, '1');
select expect($$select pgq.insert_event('q', null, null)$$, '2');
select expect($$select pgq.insert_event('q', 't', 'd', 'e1', 'e2', 'e3', 'e4')$$, '3');
select expect($$select pgq.insert_event('q', 't', 'd', null, null, null, 'e4')$$, '4');
-- an explicit id moves the sequence all the same: that is how the ticker notices
select expect($$select pgq.insert_event_raw('q', 1000, '2001-01-01 00:00+00', 77, 3, 't', 'd', null, null, null, null)$$, '1000');
select expect($$select pgq.insert_event_raw('q', null, null, null, null, 't', 'd', null, 'e2', null, null)$$, '6');
select expect($$select ev_id, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4 from only pgq.event_1_0 order by ctid$$,
              '1,,,t,d,,,, ; 2,,,,,,,, ; 3,,,t,d,e1,e2,e3,e4 ; 4,,,t,d,,,,e4 ; 1000,77,3,t,d,,,, ; 6,,,t,d,,e2,,');
select expect($$select count(*) from pgq.event_1_0 where ev_time = '2001-01-01 00:00+00'$$, '1');

-- time is the transaction's; the transaction id is the top level one, and savepoints take their events along
begin;
savepoint a; select pgq.insert_event('q', 'sp', 'lost'); rollback to a;
savepoint b; select pgq.insert_event('q', 'sp', 'kept'); release b;
select expect($$select ev_data, ev_txid = txid_current(), ev_time = now() from pgq.event_1_0 where ev_type = 'sp'$$, 'kept,t,t');
commit;

-- the current table is for bulk inserts of the same transaction; the column default gives ids
begin;
select expect($$select pgq.current_event_table('q')$$, 'pgq.event_1_0');
insert into pgq.event_1_0 (ev_time, ev_type, ev_data) values (now(), 'bulk', 'x'), (now(), 'bulk', 'y');
commit;
select expect($$select ev_id, ev_data from pgq.event_template where ev_type = 'bulk' order by ev_id$$, '9,x ; 10,y');

select expect_error($$select pgq.insert_event(null, 't', 'd')$$, 'Queue name must not be NULL');
select expect_error($$select pgq.insert_event('nope', 't', 'd')$$, 'No such queue');
select expect_error($$select pgq.insert_event_raw(null, 1, now(), null, null, 't', 'd', null, null, null, null)$$, 'Queue name must not be NULL');
select expect_error($$select pgq.insert_event_raw('nope', 1, now(), null, null, 't', 'd', null, null, null, null)$$, 'No such queue');
select expect_error($$select pgq.current_event_table('nope')$$, 'Event queue not found');

-- A branch takes events only from those who replay
update pgq.queue set queue_disable_insert = true;
select expect_error($$select pgq.insert_event('q', 't', 'd')$$, 'Insert into queue disallowed');
select expect_error($$select pgq.current_event_table('q')$$, 'Writing to queue disabled');
set session_replication_role = local;
select expect_error($$select pgq.insert_event('q', 't', 'd')$$, 'Insert into queue disallowed');
select expect_error($$select pgq.current_event_table('q')$$, 'Writing to queue disabled');
set session_replication_role = replica;
select expect($$select pgq.insert_event('q', 't', 'd') > 0, pgq.current_event_table('q')$$, 't,pgq.event_1_0');
reset session_replication_role;
update pgq.queue set queue_disable_insert = false;

-- At most two events of a transaction: n succeed, the next one fails; rolled back savepoints don't count
update pgq.queue set queue_per_tx_limit = 2;
begin;
select pgq.insert_event('q', 'limit', '1'), pgq.insert_event('q', 'limit', '2');
select expect_error($$select pgq.insert_event('q', 'limit', '3')$$, 'Queue ''q'' allows max 2 events from one TX');
select expect_error($$select pgq.insert_event_raw('q', 5, now(), null, null, 't', 'd', null, null, null, null)$$, 'Queue ''q'' allows max 2 events from one TX');
commit;
begin;
savepoint a; select pgq.insert_event('q', 'limit', 'lost'), pgq.insert_event('q', 'limit', 'lost'); rollback to a;
select pgq.insert_event('q', 'limit', '3'), pgq.insert_event('q', 'limit', '4');
commit;
-- every queue has its own count, and bulk inserts none
select pgq.create_queue('other');
update pgq.queue set queue_per_tx_limit = 1 where queue_name = 'other';
begin;
select pgq.insert_event('q', 'limit', '5'), pgq.insert_event('other', 'limit', '1'), pgq.insert_event('q', 'limit', '6');
select expect_error($$select pgq.insert_event('other', 'limit', '2')$$, 'Queue ''other'' allows max 1 events from one TX');
insert into pgq.event_1_0 (ev_time, ev_type, ev_data) values (now(), 'limit', '7');
commit;
select expect($$select string_agg(ev_data, ' ' order by ev_id) from pgq.event_1 where ev_type = 'limit'$$, '"1 2 3 4 5 6 7"');
update pgq.queue set queue_per_tx_limit = 0 where queue_name = 'other';
select expect_error($$select pgq.insert_event('other', 'limit', '2')$$, 'Queue ''other'' allows max 0 events from one TX');

-- A producer in REPEATABLE READ with a view from before a completed rotation must retry
update pgq.queue set queue_rotation_period = '0', queue_per_tx_limit = null;
begin isolation level repeatable read;
select expect($$select pgq.insert_event('q', 't', 'fresh view') > 0$$, 't');
commit;
begin isolation level repeatable read;
select from pgq.queue;
select setval('skytools.rotation_1', queue_switch_step1 + 1) from pgq.queue where queue_name = 'q';   -- as a rotation after the snapshot
select expect_error($$select pgq.insert_event('q', 't', 'd')$$, 'queue "q" was rotated after this transaction''s snapshot', '40001');
select expect_error($$select pgq.current_event_table('q')$$, 'queue "q" was rotated after this transaction''s snapshot', '40001');
select expect($$select pgq.insert_event('other', 't', 'd') > 0$$, 't');
commit;
select expect($$select pgq.insert_event('q', 't', 'read committed never looks') > 0$$, 't');
