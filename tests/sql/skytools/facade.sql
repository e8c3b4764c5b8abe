-- send, receive, ack and nack: what is not answered comes again, and nothing else does.
\ir ../pgq/helpers.psql

select pgq.create_queue('q'); select pgq.register_consumer('q', 'c');

-- send: one and many, in order, with errors as insert_event has them
select expect($$select skytools.send('q', 't', 'one'), skytools.send('q', 't', array['a', null, 'b']), skytools.send('q', null, '{}'::text[]), skytools.send('q', 't', null::text[])$$, '1,3,0,0');
select expect($$select ev_id, ev_type, ev_data, ev_txid > 0, ev_time <= now(), ev_extra1 from pgq.event_1 order by ev_id$$, '1,t,one,t,t, ; 2,t,a,t,t, ; 3,t,,t,t, ; 4,t,b,t,t,');
select expect_error($$select skytools.send(null, 't', array['x'])$$, 'Queue name must not be NULL');
select expect_error($$select skytools.send('nope', 't', array['x'])$$, 'No such queue');
select expect_error($$select skytools.send('nope', 't', '{}'::text[])$$, 'No such queue');
select expect_error($$select skytools.send('nope', 't', 'x')$$, 'No such queue');
update pgq.queue set queue_per_tx_limit = 3;
select expect_error($$select skytools.send('q', 't', array['x', 'y', 'z', 'too much'])$$, 'Queue ''q'' allows max 3 events from one TX');
begin; select skytools.send('q', 't', array['x', 'y']);
select expect_error($$select skytools.send('q', 't', array['z', 'too much'])$$, 'Queue ''q'' allows max 3 events from one TX'); rollback;
update pgq.queue set queue_per_tx_limit = null, queue_disable_insert = true;
select expect_error($$select skytools.send('q', 't', array['x'])$$, 'Insert into queue disallowed');
set session_replication_role = replica; select expect($$select skytools.send('q', 't', array['two'])$$, '1'); reset session_replication_role;
update pgq.queue set queue_disable_insert = false;
select tick_now('q');

-- receive and ack, in parts
create view received as select string_agg(coalesce(ev_data, '~'), ' ' order by ev_id) from skytools.receive('q', 'c', 2);
select expect('table received', '"one a"');
select expect('table received', '"one a"');
select expect($$select count(*) from skytools.receive('q', 'c')$$, '5');
select expect($$select skytools.ack('q', 'c', 2), skytools.ack('q', 'c', 2), skytools.ack('q', 'c', 999), skytools.ack('q', 'c', null::bigint), skytools.ack('q', 'c', '{}'::bigint[])$$, '1,0,0,0,0');
select expect('table received', '"one ~"');
select expect($$select skytools.ack('q', 'c', array[1, 4, 2, 77])$$, '2');
select expect($$select current_batch, pending_events > 0 from pgq.get_consumer_info('q')$$, '1,t');
-- an aborted answer is none
begin; select skytools.ack('q', 'c', 3); rollback;
select expect($$select ev_id, ev_type, ev_data, ev_retry from skytools.receive('q', 'c', 1)$$, '3,t,,');
-- nack: later again, and the batch can end without it
select skytools.set_queue_policy('q', 'retry_limit', '1'), skytools.set_queue_policy('q', 'retry_delay', '2 min');
select expect($$select skytools.nack('q', 'c', 999), skytools.nack('q', 'c', 2), skytools.nack('q', 'c', null)$$, '0,0,0');
begin;
select expect($$select skytools.nack('q', 'c', 3)$$, '1');
select expect($$select ev_id, ev_retry_after - now(), ev_retry from pgq.retry_queue$$, '3,00:02:00,1');
rollback;
select expect($$select skytools.nack('q', 'c', 3, '0 s', 'not now')$$, '1');
select expect($$select ev_id from pgq.retry_queue$$, '3');
select expect($$select string_agg(ev_data, '') from skytools.receive('q', 'c')$$, 'two');
select max(ev_id) as last from skytools.receive('q', 'c') \gset
select expect(format('select skytools.ack(''q'', ''c'', %s)', :last), '1');
select expect($$select current_batch, last_tick from pgq.get_consumer_info('q')$$, ',2');
select expect($$select * from skytools.receive('q', 'c')$$, null);
select expect($$select count(*) from skytools.unanswered$$, '0');
-- over the limit: dead, with the reason
select pgq.maint_retry_events(); select tick_now('q');
select expect($$select ev_id, ev_retry from skytools.receive('q', 'c')$$, '3,1');
select expect($$select skytools.nack('q', 'c', 3, null, 'never')$$, '1');
select expect($$select ev_id, reason from skytools.dead_list('q')$$, '3,"retry limit of 1 reached: never"');
select expect($$select current_batch from pgq.get_consumer_info('q')$$, '');

-- Empty batches are passed over on the way to the next event
select tick_now('q'); select tick_now('q'); select skytools.send('q', 't', 'after nothing'); select tick_now('q');
select expect($$select ev_data from skytools.receive('q', 'c')$$, '"after nothing"');
-- An event that is there twice after a reposition, itself and its retry: once, the newer one
select skytools.ack('q', 'c', (select ev_id from skytools.receive('q', 'c')));
select skytools.seek('q', 'c', 1);
select expect($$select count(*) from skytools.receive('q', 'c')$$, '5');
update pgq.subscription set sub_next_tick = 3; delete from skytools.unanswered;   -- a batch over both
select expect($$select ev_id, ev_retry from skytools.receive('q', 'c') where ev_id = 3$$, '3,1');
select expect($$select count(*) from skytools.receive('q', 'c')$$, '5');
-- Answers only to what was received; a batch of the other kind is not touched
select pgq.finish_batch(sub_batch) from pgq.subscription;
select skytools.forget_gone();
select expect($$select count(*) from skytools.unanswered$$, '0');
select skytools.send('q', 't', 'by batch'); select tick_now('q');
select pgq.next_batch('q', 'c') as batch \gset
select expect($$select skytools.ack('q', 'c', (select max(ev_id) from pgq.event_1))$$, '0');
select expect(format('select pgq.finish_batch(%s)', :batch), '1');
select expect($$select skytools.ack('q', 'c', 1), skytools.nack('q', 'c', 1)$$, '0,0');

select expect_error($$select * from skytools.receive('q', 'c', 0)$$, 'cannot receive 0 events', '22023');
select expect_error($$select * from skytools.receive('q', 'c', null)$$, 'cannot receive <NULL> events', '22023');
select expect_error($$select * from skytools.receive('q', 'nope')$$, 'Not subscriber to queue: q/nope');
select expect_error($$select skytools.ack('q', 'nope', 1)$$, 'Not subscriber to queue: q/nope');
select expect_error($$select skytools.nack('nope', 'c', 1)$$, 'No such event queue');

-- What was open goes with the consumer
select skytools.send('q', 't', 'left over'); select tick_now('q');
select expect($$select count(*) from skytools.receive('q', 'c')$$, '1');
select pgq.unregister_consumer('q', 'c');
select expect($$select count(*) from skytools.unanswered$$, '0');
