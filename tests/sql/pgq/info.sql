-- get_queue_info and get_consumer_info: what monitoring sees, in columns whose names and order are fixed.
\ir helpers.psql

select pgq.create_queue('q2'), pgq.create_queue('q1');
select pgq.register_consumer('q2', 'b'), pgq.register_consumer('q2', 'a'), pgq.register_consumer('q1', 'a');

-- q2 (id 1): tick 1 was 100 s, tick 22 is 20 s ago, 400 event ids apart, 7 more since; tick 1 is more than 20 ids before
delete from pgq.tick where tick_queue = 1;
insert into pgq.tick (tick_queue, tick_id, tick_time, tick_event_seq) values
  (1, 1, now() - interval '1 day', 0), (1, 2, now() - interval '100 s', 100), (1, 22, now() - interval '20 s', 500);
select setval('pgq.event_1_id_seq', 507);
select expect($$select queue_name, queue_ntables, queue_cur_table, queue_rotation_period, queue_external_ticker, queue_ticker_paused,
                       queue_ticker_max_count, queue_ticker_max_lag, queue_ticker_idle_period, ev_per_sec, ev_new, last_tick_id,
                       ticker_lag between '20 s' and '50 s', queue_switch_time <= now() from pgq.get_queue_info('q2')$$,
              'q2,3,0,02:00:00,f,f,500,00:00:03,00:01:00,5,7,22,t,t');
-- one tick tells no speed, and a queue without ticks is shown all the same
select expect($$select ev_per_sec, ev_new, last_tick_id from pgq.get_queue_info('q1')$$, ',0,1');
delete from pgq.subscription where sub_queue = 2; delete from pgq.tick where tick_queue = 2;
select expect($$select queue_name, ticker_lag, ev_per_sec, last_tick_id from pgq.get_queue_info('q1')$$, 'q1,,,');
select expect($$select queue_name from pgq.get_queue_info()$$, 'q1 ; q2');
select expect($$select queue_name from pgq.get_queue_info(null)$$, 'q1 ; q2');
select expect($$select queue_name from pgq.get_queue_info('nope')$$, null);

-- a is at tick 2 with a batch up to 22, b at tick 22
update pgq.subscription set sub_last_tick = 22, sub_active = now() - interval '5 min' where sub_consumer = 1;
update pgq.subscription set sub_last_tick = 2, sub_batch = 9, sub_next_tick = 22 where sub_consumer = 2;
select expect($$select queue_name, consumer_name, last_tick, current_batch, next_tick, pending_events,
                       lag between '20 s' and '50 s', lag between '100 s' and '130 s', last_seen >= '5 min' from pgq.get_consumer_info()$$,
              'q2,a,2,9,22,400,f,t,f ; q2,b,22,,,0,t,f,t');
select expect($$select consumer_name from pgq.get_consumer_info('q2')$$, 'a ; b');
select expect($$select consumer_name from pgq.get_consumer_info('q2', 'b')$$, 'b');
select expect($$select queue_name from pgq.get_consumer_info(null, 'a')$$, 'q2');
select expect($$select consumer_name from pgq.get_consumer_info('q1')$$, null);
select expect($$select consumer_name from pgq.get_consumer_info('q2', 'nope')$$, null);
-- an idle member of a cooperative group has no position
update pgq.subscription set sub_last_tick = null where sub_consumer = 1;
select expect($$select consumer_name, lag, last_tick, pending_events from pgq.get_consumer_info('q2', 'b')$$, 'b,,,');
