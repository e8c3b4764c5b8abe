-- Registering, moving and unregistering consumers.
\ir helpers.psql

select pgq.create_queue('q'), pgq.create_queue('r');
select tick_now('q'), tick_now('r');

select expect_error($$select pgq.register_consumer('nope', 'c')$$, 'Event queue not created yet');
select expect_error($$select pgq.register_consumer(null, 'c')$$, 'Event queue not created yet');
select expect_error($$select pgq.register_consumer('q', null)$$, 'null value in column "co_name"%', '23502');
select expect_error($$select pgq.register_consumer_at('q', 'late', 77)$$, 'cannot reposition, tick not found: 77');
select expect($$select * from pgq.consumer$$, null);   -- the name of a failed registration is not left behind

select expect($$select pgq.register_consumer('q', 'c'), pgq.register_consumer('q', 'c')$$, '1,0');
select expect($$select pgq.register_consumer_at('q', 'd', 1), pgq.register_consumer_at('q', 'd', null)$$, '1,0');
select expect($$select pgq.register_consumer_at('q', 'e', null)$$, '1');
select expect($$select consumer_name, last_tick from pgq.get_consumer_info('q')$$, 'c,2 ; d,1 ; e,2');
select expect($$select pgq.register_consumer('r', 'c')$$, '1');
select expect($$select count(*), count(distinct sub_id) from pgq.subscription$$, '4,4');
select expect($$select count(*) from pgq.consumer$$, '3');

-- A registered consumer is moved, either way, and loses its batch; its id stays
select tick_now('q');
select expect($$select pgq.next_batch('q', 'c')$$, '1');
select expect($$select pgq.register_consumer('q', 'c')$$, '0');
select expect($$select last_tick, current_batch from pgq.get_consumer_info('q', 'c')$$, '2,1');
select expect($$select pgq.register_consumer_at('q', 'c', 1)$$, '0');
select expect($$select last_tick, current_batch, next_tick from pgq.get_consumer_info('q', 'c')$$, '1,,');
select expect($$select pgq.register_consumer_at('q', 'c', 3)$$, '0');
select expect($$select last_tick from pgq.get_consumer_info('q', 'c')$$, '3');
select expect_error($$select pgq.register_consumer_at('q', 'c', 99)$$, 'cannot reposition, tick not found: 99');
select expect($$select sub_id from pgq.subscription join pgq.consumer on co_id = sub_consumer where co_name = 'c' and sub_queue = 1$$, '1');

-- A queue without ticks takes nobody
select pgq.create_queue('s'); delete from pgq.tick where tick_queue = (select queue_id from pgq.queue where queue_name = 's');
select expect_error($$select pgq.register_consumer('s', 'c')$$, 'No ticks for this queue.  Please run ticker on database.');

-- Unregistering takes the retry events; the name goes with the last subscription
select pgq.event_retry_raw('q', 'c', now(), null, now(), 1, 't', 'd', null, null, null, null);
select pgq.event_retry_raw('r', 'c', now(), null, now(), 1, 't', 'd', null, null, null, null);
select expect($$select pgq.unregister_consumer('q', 'nope'), pgq.unregister_consumer('nope', 'c'), pgq.unregister_consumer('s', 'c'),
                       pgq.unregister_consumer(null, null)$$, '0,0,0,0');
select expect($$select pgq.unregister_consumer('q', 'c'), pgq.unregister_consumer('q', 'c')$$, '1,0');
select expect($$select ev_queue from pgq.retry_queue$$, '2');
select expect($$select co_name from pgq.consumer order by 1$$, 'c ; d ; e');
select expect($$select pgq.unregister_consumer('r', 'c')$$, '1');
select expect($$select count(*) from pgq.retry_queue$$, '0');
select expect($$select co_name from pgq.consumer order by 1$$, 'd ; e');

-- A cooperative group shares its main consumer's sub_id: a member goes alone, also with a batch; the main one takes all along
select pgq.register_consumer('q', 'g'), pgq.register_consumer('q', 'g.a'), pgq.register_consumer('q', 'g.b');
update pgq.subscription s set sub_id = m.sub_id, sub_last_tick = null
  from pgq.consumer c, pgq.consumer mc, pgq.subscription m
 where c.co_id = s.sub_consumer and c.co_name in ('g.a', 'g.b') and mc.co_name = 'g' and m.sub_consumer = mc.co_id;
select tick_now('q');
select expect_error($$select pgq.next_batch('q', 'g.a')$$, 'consumer g.a on queue q is a subconsumer and has no batch of its own');
select expect_error($$select pgq.register_consumer_at('q', 'g.a', 1)$$, 'cannot reposition, consumer g.a is a subconsumer');
update pgq.subscription set sub_batch = 1001, sub_last_tick = 3, sub_next_tick = 4
 where sub_consumer = (select co_id from pgq.consumer where co_name = 'g.a');
select expect($$select pgq.next_batch('q', 'g') is not null$$, 't');
select expect($$select pgq.finish_batch(1001)$$, '1');
select expect($$select last_tick, current_batch, next_tick from pgq.get_consumer_info('q', 'g.a')$$, ',,');
select expect($$select pgq.unregister_consumer('q', 'g.a')$$, '1');
select expect($$select consumer_name, current_batch is null from pgq.get_consumer_info('q')$$, 'd,t ; e,t ; g,f ; g.b,t');
select expect($$select pgq.unregister_consumer('q', 'g')$$, '2');
select expect($$select consumer_name from pgq.get_consumer_info('q')$$, 'd ; e');
select expect($$select co_name from pgq.consumer where co_name like 'g%'$$, null);
