-- A consumer's position by tick and by time, and its pause.
\ir ../pgq/helpers.psql

select pgq.create_queue('q'), pgq.create_queue('r');
select pgq.register_consumer('q', 'c'), pgq.register_consumer('q', 'd');
-- Ticks 1 … 4, of 10:00, 11:00, 12:00, 13:00, with one event between each two
select skytools.send('q', 't', 'one'); select tick_now('q');
select skytools.send('q', 't', 'two'); select tick_now('q');
select skytools.send('q', 't', 'three'); select tick_now('q');
update pgq.tick set tick_time = '2020-01-01 09:00+00'::timestamptz + tick_id * interval '1 hour' where tick_queue = 1;
create function next_data() returns text language plpgsql as $$
declare v_batch bigint := pgq.next_batch('q', 'c'); v_data text := batch_data(v_batch);
begin perform pgq.finish_batch(v_batch); return v_data; end $$;

select expect($$select skytools.seek('q', 'c', 3), next_data()$$, '3,three');
select expect($$select skytools.seek('q', 'c', 1), next_data()$$, '1,one');
select expect($$select skytools.seek('q', 'c', 4), pgq.next_batch('q', 'c')$$, '4,');
select expect($$select last_tick from pgq.get_consumer_info('q', 'd')$$, '1');
select expect_error($$select skytools.seek('q', 'c', 5)$$, 'queue "q" has no tick 5, its ticks go from 1 (%) to 4');
select expect_error($$select skytools.seek('q', 'c', null::bigint)$$, 'queue "q" has no tick <NULL>%');
select expect_error($$select skytools.seek('nope', 'c', 1)$$, 'No such event queue');
select expect_error($$select skytools.seek('q', 'nope', 1)$$, 'Not subscriber to queue: q/nope');
select expect_error($$select skytools.seek('r', 'c', 1)$$, 'Not subscriber to queue: r/c');

-- The newest tick at or before the time
select expect($$select skytools.seek('q', 'c', '2020-01-01 10:00+00'::timestamptz)$$, '1');
select expect($$select skytools.seek('q', 'c', '2020-01-01 11:59+00'::timestamptz), next_data()$$, '2,two');
select expect($$select skytools.seek('q', 'c', '2020-01-01 12:00+00'::timestamptz)$$, '3');
select expect($$select skytools.seek('q', 'c', 'infinity'::timestamptz)$$, '4');
set timezone = 'UTC';
select expect_error($$select skytools.seek('q', 'c', '2020-01-01 09:59+00'::timestamptz)$$,
                    'queue "q" has no tick at or before 2020-01-01 09:59:00+00, the oldest is 1 of 2020-01-01 10:00:00+00');
select expect_error($$select skytools.seek('q', 'c', null::timestamptz)$$, 'queue "q" has no tick at or before <NULL>%');
select expect_error($$select skytools.seek('q', 'nope', now())$$, 'Not subscriber to queue: q/nope');

-- Not with an open batch, not for one member of a group; the group is moved as a whole and only at rest
select skytools.seek('q', 'c', 1), pgq.next_batch('q', 'c') as batch \gset
select expect_error($$select skytools.seek('q', 'c', 2)$$, 'consumer "c" has an open batch on queue "q"');
select expect_error($$select skytools.seek('q', 'c', now())$$, 'consumer "c" has an open batch on queue "q"');
select pgq.finish_batch(:batch);
select pgq.register_consumer('q', 'c.a');
update pgq.subscription set sub_id = 1, sub_last_tick = 1, sub_next_tick = 2, sub_batch = 1000
 where sub_consumer = (select co_id from pgq.consumer where co_name = 'c.a');
select expect_error($$select skytools.seek('q', 'c.a', 2)$$, 'consumer "c.a" is a member of a cooperative group%');
select expect_error($$select skytools.seek('q', 'c', 2)$$, 'consumer "c" has an open batch on queue "q"');
select pgq.finish_batch(1000);
select expect($$select skytools.seek('q', 'c', 2)$$, '2');
select expect($$select consumer_name, last_tick from pgq.get_consumer_info('q')$$, 'c,2 ; c.a, ; d,1');

-- Pause
select expect($$select skytools.consumer_paused('q', 'c'), skytools.consumer_paused('q', 'nope'), skytools.consumer_paused('nope', 'c')$$, 'f,f,f');
select expect($$select skytools.pause_consumer('q', 'd')$$, '1');
select expect($$select skytools.pause_consumer('q', 'd'), skytools.consumer_paused('q', 'd'), skytools.consumer_paused('q', 'c')$$, '0,t,f');
select expect($$select pgq.next_batch('q', 'd'), (pgq.next_batch_info('q', 'd')).batch_id, (pgq.next_batch_custom('q', 'd', null, 1, null)).batch_id$$, ',,');
select expect($$select * from skytools.receive('q', 'd')$$, null);
select expect($$select skytools.resume_consumer('q', 'd')$$, '1');
select expect($$select skytools.resume_consumer('q', 'd'), skytools.consumer_paused('q', 'd')$$, '0,f');
select pgq.next_batch('q', 'd') as batch \gset
-- with a batch open: not given again, but it may be finished
select skytools.pause_consumer('q', 'd');
select expect($$select pgq.next_batch('q', 'd')$$, '');
select expect(format('select batch_data(%s), pgq.finish_batch(%1$s)', :batch), 'one,1');
select expect_error($$select skytools.pause_consumer('q', 'c.a')$$, 'consumer "c.a" is a member of a cooperative group%');
select expect_error($$select skytools.pause_consumer('q', 'nope')$$, 'Not subscriber to queue: q/nope');
select expect_error($$select skytools.resume_consumer('nope', 'd')$$, 'No such event queue');
-- the pause ends with the registration
select pgq.unregister_consumer('q', 'd');
select expect($$select count(*) from skytools.paused_consumer$$, '0');
-- An extension's next_batch would not look
update skytools.module set origin = 'extension' where name = 'pgq';
select expect_error($$select skytools.pause_consumer('q', 'c')$$, 'schema pgq belongs to an extension, which cannot pause a consumer', '0A000');
