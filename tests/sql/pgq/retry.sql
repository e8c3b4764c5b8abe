-- Events kept for later: by the consumer, by batch, by hand; moved back by maintenance for their owner alone.
\ir helpers.psql

select pgq.create_queue('q');
select pgq.register_consumer('q', 'c'), pgq.register_consumer('q', 'd');   -- subscriptions 1 and 2
select pgq.insert_event('q', 't' || n, 'd' || n, 'x' || n, null, null, 'z' || n) from generate_series(1, 4) n;
select pgq.insert_event_raw('q', 100, '2001-01-01 00:00+00', null, 7, 't', 'raw', null, null, null, null);
select tick_now('q');
select expect($$select pgq.next_batch('q', 'c')$$, '1');

select expect($$select pgq.event_retry(1, 1, 0), pgq.event_retry(1, 1, 0), pgq.event_retry(1, 1, now())$$, '1,0,0');
select expect($$select pgq.event_retry(1, 2, '2001-01-01 00:00+00'::timestamptz), pgq.event_retry(1, 100, 3600)$$, '1,1');
select expect_error($$select pgq.event_retry(1, 99, 0)$$, 'event not found');
select expect_error($$select pgq.event_retry(1, null, 0)$$, 'event not found');
select expect_error($$select pgq.event_retry(999, 1, 0)$$, 'event not found');
select expect_error($$select pgq.event_retry(null, 1, now())$$, 'event not found');
select expect_error($$select pgq.event_retry(1, 3, null::int)$$, 'null value in column "ev_retry_after"%', '23502');
select expect($$select ev_id, ev_retry, ev_owner, ev_queue, ev_txid, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4
                from pgq.retry_queue order by ev_id$$,
              '1,1,1,1,,t1,d1,x1,,,z1 ; 2,1,1,1,,t2,d2,x2,,,z2 ; 100,8,1,1,,t,raw,,,,');
select expect($$select ev_id, ev_retry_after > now() + interval '50 min', ev_time = '2001-01-01 00:00+00' from pgq.retry_queue order by ev_id$$,
              '1,f,f ; 2,f,f ; 100,t,t');
-- the rest of the batch
select expect($$select pgq.batch_retry(1, 0), pgq.batch_retry(1, 0)$$, '2,0');
select expect_error($$select pgq.batch_retry(1, null)$$, 'null value in column "ev_retry_after"%', '23502');
select expect_error($$select pgq.batch_retry(999, 5)$$, 'batch_retry: batch 999 not found');
-- by hand; the retry count is stored as given
select expect($$select pgq.event_retry_raw('q', 'd', '2001-01-01 00:00+00', null, now(), null, 't', 'hand', null, null, null, null)$$, '6');
select expect($$select pgq.event_retry_raw('q', 'd', '2001-01-01 00:00+00', 1, now(), 5, 't', 'hand', 'a', 'b', 'c', 'd')$$, '1');
select expect_error($$select pgq.event_retry_raw('q', 'd', now(), 1, now(), 5, 't', 'hand', 'a', 'b', 'c', 'd')$$,
                    'duplicate key value violates unique constraint "rq_pkey"', '23505');
select expect_error($$select pgq.event_retry_raw('q', 'nope', now(), 1, now(), 5, 't', 'x', null, null, null, null)$$, 'consumer not registered');
select expect_error($$select pgq.event_retry_raw('nope', 'c', now(), 1, now(), 5, 't', 'x', null, null, null, null)$$, 'consumer not registered');
select expect_error($$select pgq.event_retry_raw('q', 'c', null, 9, now(), 5, 't', 'x', null, null, null, null)$$, 'null value in column "ev_retry_after"%', '23502');
select expect_error($$select pgq.event_retry_raw('q', 'c', now(), 9, null, 5, 't', 'x', null, null, null, null)$$, 'null value in column "ev_time"%', '23502');
select pgq.finish_batch(1);
select expect_error($$select pgq.event_retry(1, 1, 0)$$, 'event not found');

-- What is due goes back, each event to its owner, before new events; what is not due stays
select expect($$select pgq.maint_retry_events()$$, '6');
select expect($$select pgq.maint_retry_events()$$, '0');
select expect($$select ev_id from pgq.retry_queue$$, '100');
select pgq.insert_event('q', 't', 'new');
select tick_now('q');
select pgq.next_batch('q', 'c');
select expect($$select ev_id, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4, ev_txid is not null from pgq.get_batch_events(2)$$,
              '1,1,t1,d1,x1,,,z1,t ; 2,1,t2,d2,x2,,,z2,t ; 3,1,t3,d3,x3,,,z3,t ; 4,1,t4,d4,x4,,,z4,t ; 13,,t,new,,,,,t');
-- a second retry counts on
select expect($$select pgq.event_retry(2, 1, 0), pgq.batch_retry(2, 0)$$, '1,4');
select expect($$select ev_id, ev_retry from pgq.retry_queue where ev_owner = 1 order by ev_id$$, '1,2 ; 2,2 ; 3,2 ; 4,2 ; 13,1 ; 100,8');
-- d still has the first tick's events to come, then its own two by hand and the new one, none of c's
select pgq.next_batch('q', 'd');
select expect($$select batch_data(3)$$, '"d1 d2 d3 d4 raw"');
select pgq.finish_batch(3);
select pgq.next_batch('q', 'd');
select expect($$select ev_id, ev_retry, ev_data, ev_extra1, ev_extra4 from pgq.get_batch_events(4)$$, '1,5,hand,a,d ; 6,,hand,, ; 13,,new,,');
select pgq.finish_batch(2), pgq.finish_batch(4);

-- Ten in a call, oldest first
delete from pgq.retry_queue;
select pgq.event_retry_raw('q', 'c', now() - make_interval(mins => n), 1000 + n, now(), 1, 't', 'd', null, null, null, null) from generate_series(1, 23) n;
select expect($$select pgq.maint_retry_events()$$, '10');
select expect($$select min(ev_id), max(ev_id) from pgq.retry_queue$$, '1001,1013');
select expect($$select pgq.maint_retry_events()$$, '10');
select expect($$select pgq.maint_retry_events()$$, '3');
select expect($$select pgq.maint_retry_events()$$, '0');

-- A queue that takes no events does not hold up the others; nor does one that refuses some of them
select pgq.create_queue('branch'), pgq.create_queue('narrow');
select pgq.register_consumer('branch', 'c'), pgq.register_consumer('narrow', 'c');
select pgq.event_retry_raw(q, 'c', now() - interval '1 hour' + s * interval '1 s', 2000 + s * 100 + n, now(), 1, 't', q, null, null, null, null)
  from (values ('branch', 1), ('narrow', 2), ('q', 3)) v (q, s), generate_series(1, 12) n;
update pgq.queue set queue_disable_insert = true where queue_name = 'branch';
update pgq.queue set queue_per_tx_limit = 3 where queue_name = 'narrow';
set client_min_messages = error;
select expect($$select pgq.maint_retry_events()$$, '10');   -- 3 of narrow, 7 of q
select expect($$select queue_name, count(*) from pgq.retry_queue join pgq.queue on queue_id = ev_queue group by 1 order by 1$$,
              'branch,12 ; narrow,9 ; q,5');
select expect($$select pgq.maint_retry_events()$$, '8');
select expect($$select pgq.maint_retry_events()$$, '3');
select expect($$select pgq.maint_retry_events()$$, '3');
select expect($$select pgq.maint_retry_events()$$, '0');
reset client_min_messages;
select expect($$select queue_name, count(*) from pgq.retry_queue join pgq.queue on queue_id = ev_queue group by 1 order by 1$$, 'branch,12');
set session_replication_role = replica;
select expect($$select pgq.maint_retry_events()$$, '10');
