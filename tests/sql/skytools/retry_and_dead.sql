-- Retry policy, answer_batch, dead letters: who gets what again, and when no more.
\ir ../pgq/helpers.psql

select pgq.create_queue('q'), pgq.create_queue('r');
select pgq.register_consumer('q', 'c'), pgq.register_consumer('q', 'd'), pgq.register_consumer('r', 'c');
select skytools.send('q', 't', array['a', 'b', 'c', 'd']);
select tick_now('q');

-- The policy
select expect_error($$select skytools.set_queue_policy(null, 'retry_limit', '1')$$, 'Invalid NULL value');
select expect_error($$select skytools.set_queue_policy('q', null, '1')$$, 'Invalid NULL value');
select expect_error($$select skytools.set_queue_policy('nope', 'retry_limit', '1')$$, 'No such event queue');
select expect_error($$select skytools.set_queue_policy('q', 'foo', '1')$$, 'cannot change parameter "foo"');
select expect_error($$select skytools.set_queue_policy('q', 'retry_limit', 'x')$$, 'invalid input syntax for type integer%', '22P02');
select expect_error($$select skytools.set_queue_policy('q', 'retry_delay', 'x')$$, 'invalid input syntax for type interval%', '22007');
select expect_error($$select skytools.set_queue_policy('q', 'retry_limit', '-1')$$, 'parameter retry_limit is out of range: -1', '22023');
select expect_error($$select skytools.set_queue_policy('q', 'retry_delay', '-1 s')$$, 'parameter retry_delay is out of range%', '22023');
select expect_error($$select skytools.set_queue_policy('q', 'retry_backoff', '0.5')$$, 'parameter retry_backoff is out of range%', '22023');
select expect_error($$select skytools.set_queue_policy('q', 'retry_delay_max', '-1 s')$$, 'parameter retry_delay_max is out of range%', '22023');
select expect($$select * from skytools.queue_policy$$, null);
select expect($$select skytools.set_queue_policy('q', 'retry_limit', '3'), skytools.set_queue_policy('q', 'retry_delay', '10 s'),
                       skytools.set_queue_policy('q', 'retry_backoff', '3'), skytools.set_queue_policy('q', 'retry_delay_max', '1 min')$$, '1,1,1,1');
select expect($$select * from skytools.queue_policy$$, '1,3,00:00:10,3,00:01:00');
select expect($$select skytools.set_queue_policy('q', 'retry_limit', null), skytools.set_queue_policy('q', 'retry_delay', null),
                       skytools.set_queue_policy('q', 'retry_backoff', null), skytools.set_queue_policy('q', 'retry_delay_max', null)$$, '1,1,1,1');
select expect($$select * from skytools.queue_policy$$, '1,,00:01:00,2,01:00:00');
delete from skytools.queue_policy;

-- answer_batch: nothing wrong; what is wrong with the call; retries with their own delay and the default, dead letters
select expect($$select pgq.next_batch('q', 'd')$$, '1');
select expect($$select skytools.answer_batch(1, null, null, null, null)$$, '1');
set client_min_messages = error;
select expect($$select skytools.answer_batch(1, null, null, null, null), skytools.answer_batch(null, array[1], null, null, null)$$, '0,0');
reset client_min_messages;
select expect($$select last_tick, current_batch from pgq.get_consumer_info('q', 'd')$$, '2,');
select expect($$select pgq.next_batch('q', 'c')$$, '2');
select expect_error($$select skytools.answer_batch(2, array[1, 9], null, null, null)$$, 'event not found: 9');
select expect_error($$select skytools.answer_batch(2, array[null::bigint], null, null, null)$$, 'event not found: <NULL>');
select expect_error($$select skytools.answer_batch(2, array[1], array[1, 2], null, null)$$, 'batch 2: 1 retries with 2 delays%', '22023');
select expect_error($$select skytools.answer_batch(2, null, null, array[1], array[]::text[])$$, 'batch 2: 0 retries with <NULL> delays, 1 dead with 0 reasons', '22023');
select expect($$select current_batch from pgq.get_consumer_info('q', 'c')$$, '2');
select expect($$select skytools.answer_batch(2, array[1, 2], array[7, null], array[3, 1], array['bad', null])$$, '1');
select expect($$select ev_id, ev_owner, ev_queue, ev_retry, ev_data, ev_retry_after - now() < interval '1 min', ev_retry_after - now() > interval '50 s' from pgq.retry_queue$$,
              '2,1,1,1,b,t,t');   -- 1 was named twice, dead wins; the default delay is a minute
select expect($$select queue_name, consumer_name, reason, ev_id, ev_retry, ev_type, ev_data, ev_txid is not null, dead_time <= now() from skytools.dead_list('q')$$,
              'q,c,,1,,t,a,t,t ; q,c,bad,3,,t,c,t,t');
select expect($$select current_batch, last_tick from pgq.get_consumer_info('q', 'c')$$, ',2');

-- Arrays may begin at any index
select expect($$select skytools.seek('q', 'c', 1), pgq.next_batch('q', 'c')$$, '1,3');
select expect($$select skytools.answer_batch(3, '[0:1]={1,4}', '[0:1]={10000,20000}', null, null)$$, '1');
select expect($$select ev_id, round(extract(epoch from ev_retry_after - now()) / 100) from pgq.retry_queue where ev_id <> 2 order by 1$$, '1,100 ; 4,200');

-- The delays grow by the factor, up to the maximum; the given one wins; over the limit it is the end
select skytools.set_queue_policy('q', 'retry_limit', '3'), skytools.set_queue_policy('q', 'retry_delay', '10 s'),
       skytools.set_queue_policy('q', 'retry_backoff', '3'), skytools.set_queue_policy('q', 'retry_delay_max', '1 min');
delete from pgq.retry_queue;
create procedure again(i_seconds integer[]) language plpgsql as $$
begin
  update pgq.retry_queue set ev_retry_after = now(); commit;
  perform pgq.maint_retry_events(); commit;
  perform tick_now('q'); commit;
  perform skytools.answer_batch(pgq.next_batch('q', 'c'), array[77], i_seconds, null, null);
end $$;
create view delay as select ev_id, ev_retry, round(extract(epoch from ev_retry_after - now())) as seconds from pgq.retry_queue;
select pgq.insert_event_raw('q', 77, now(), null, null, 't', 'x', null, null, null, null);
call again(null); begin; select expect('table delay', '77,1,10'); commit;
call again(null); select expect('table delay', '77,2,30');
call again(array[5]); select expect('table delay', '77,3,5');
call again(null); select expect('table delay', null);
select expect($$select reason, ev_id, ev_retry from skytools.dead_list('q', 'c') where ev_id = 77$$, '"retry limit of 3 reached",77,3');
select skytools.set_queue_policy('q', 'retry_limit', null);
select pgq.event_retry_raw('q', 'c', now(), 77, now(), 100000, 't', 'x', null, null, null, null);
call again(null); select expect('table delay', '77,100001,60');
-- A consumer of the original's functions meets the limit when the event would be moved back
select skytools.set_queue_policy('q', 'retry_limit', '0');
delete from pgq.retry_queue; select skytools.dead_purge('q', 'c', array[77]);
select pgq.event_retry_raw('q', 'c', now() - interval '1 s', 77, now(), 1, 't', 'x', 'e1', null, null, 'e4');
select pgq.event_retry_raw('q', 'c', now() + interval '1 hour', 78, now(), 1, 't', 'x', null, null, null, null);
select pgq.event_retry_raw('r', 'c', now() - interval '1 s', 77, now(), 1, 't', 'x', null, null, null, null);
select expect($$select pgq.maint_retry_events()$$, '1');
select expect($$select reason, ev_retry, ev_extra1, ev_extra4 from skytools.dead_list('q', 'c') where ev_id = 77$$, '"retry limit of 0 reached",0,e1,e4');
select expect($$select ev_id from pgq.retry_queue$$, '78');
delete from pgq.retry_queue;

-- The list: filters, limit, errors
select expect($$select ev_id from skytools.dead_list('q', 'c', 2)$$, '1 ; 3');
select expect($$select count(*) from skytools.dead_list(null)$$, '3');
select expect($$select * from skytools.dead_list('r')$$, null);
select expect($$select * from skytools.dead_list('q', 'd')$$, null);
select expect_error($$select * from skytools.dead_list('nope')$$, 'No such event queue');
select expect_error($$select * from skytools.dead_list('q', 'nope')$$, 'Not subscriber to queue: q/nope');
select expect_error($$select * from skytools.dead_list('nope', 'c')$$, 'No such event queue');

-- Replay: to this consumer alone, and it may fail as often again; one that waits already is hastened
select expect_error($$select skytools.dead_replay('q', 'nope')$$, 'Not subscriber to queue: q/nope');
select expect($$select skytools.dead_replay('q', 'd'), skytools.dead_replay('q', 'c', array[99]), skytools.dead_replay('q', 'c', '{}')$$, '0,0,0');
select pgq.event_retry_raw('q', 'c', now() + interval '1 hour', 3, now(), 5, 't', 'c', null, null, null, null);
select expect($$select skytools.dead_replay('q', 'c', array[3, 77, 99])$$, '2');
select expect($$select ev_id from skytools.dead_list('q')$$, '1');
select expect($$select pgq.maint_retry_events()$$, '2');
select tick_now('q');
select pgq.next_batch('q', 'c') as c, pgq.next_batch('q', 'd') as d \gset
select expect(format('select ev_id, ev_retry, ev_data from pgq.get_batch_events(%s)', :c), '3,0,c ; 77,0,x');
select expect(format('select batch_data(%s)', :d), 'x');   -- the first 77, which was for all
select skytools.answer_batch(:c, null, null, array[3, 77], null);
select expect($$select skytools.dead_replay('q', 'c')$$, '3');
select pgq.maint_retry_events(); delete from pgq.retry_queue;

-- Purge
select tick_now('q'); select pgq.next_batch('q', 'c') as c \gset
select skytools.answer_batch(:c, null, null, array[1, 3, 77], null);
select expect_error($$select skytools.dead_purge('q', 'nope')$$, 'Not subscriber to queue: q/nope');
select expect($$select skytools.dead_purge('q', 'd'), skytools.dead_purge('q', 'c', array[3, 99])$$, '0,1');
select expect($$select skytools.dead_purge('q', 'c')$$, '2');

-- A group: letters under its main consumer's name, whoever gave up
select pgq.register_consumer('q', 'g'), pgq.register_consumer('q', 'g.a');
update pgq.subscription s set sub_id = m.sub_id, sub_last_tick = m.sub_last_tick, sub_next_tick = m.sub_last_tick + 1, sub_batch = 1000
  from pgq.consumer c, pgq.consumer mc, pgq.subscription m
 where c.co_id = s.sub_consumer and c.co_name = 'g.a' and mc.co_name = 'g' and m.sub_consumer = mc.co_id;
select skytools.send('q', 't', 'for the group') as id \gset
select tick_now('q');
select expect(format('select skytools.answer_batch(1000, null, null, array[%s], array[''why''])', :id), '1');
select expect($$select consumer_name, reason from skytools.dead_list('q')$$, 'g,why');
select expect($$select count(*) from skytools.dead_list('q', 'g.a')$$, '1');
select expect($$select current_batch, last_tick from pgq.get_consumer_info('q', 'g.a')$$, ',');

-- All of it goes with the consumer, with the queue
select expect($$select pgq.unregister_consumer('q', 'g.a')$$, '1');
select expect($$select count(*) from skytools.dead_letter$$, '1');
select expect($$select pgq.unregister_consumer('q', 'g')$$, '1');
select expect($$select count(*) from skytools.dead_letter$$, '0');
select skytools.set_queue_policy('r', 'retry_limit', '1');
insert into skytools.dead_letter (sub_id, queue_id, ev_id, ev_time) select sub_id, sub_queue, 1, now() from pgq.subscription;
select pgq.drop_queue('q', true);
select expect($$select queue_id from skytools.queue_policy$$, '2');
select expect($$select queue_name, consumer_name from skytools.dead_list(null)$$, 'r,c');
