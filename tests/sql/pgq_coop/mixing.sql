-- Groups and the plain functions of pgq; names that could mean two things.
\ir helpers.psql

select pgq.create_queue('q');
select pgq.register_consumer('q', 'm'), pgq_coop.register_subconsumer('q', 'm', 'a'), pgq_coop.register_subconsumer('q', 'm', 'b');
call add_batch('one');
call add_batch('two');

-- A batch of the main consumer stands in the group's way until it is finished
select expect($$select pgq.next_batch('q', 'm')$$, '1');
select expect_error($$select pgq_coop.next_batch('q', 'm', 'a')$$, 'main consumer has batch open?');
select expect_error($$select pgq_coop.next_batch('q', 'm', 'new')$$, 'main consumer has batch open?');
select expect($$select pgq.finish_batch(1)$$, '1');
select expect_members('m:2,-,- m.a:-,-,- m.b:-,-,-');

-- A member's batch, seen and finished with the plain functions
select expect_error($$select pgq.next_batch('q', 'm.a')$$, 'consumer m.a on queue q is a subconsumer and has no batch of its own');
select expect($$select pgq_coop.next_batch('q', 'm', 'a')$$, '2');
select expect($$select pgq.next_batch('q', 'm.a')$$, '2');
select expect($$select pgq.finish_batch(2)$$, '1');
select expect_members('m:3,-,- m.a:-,-,- m.b:-,-,-');
call add_batch('three');
select expect($$select pgq_coop.next_batch('q', 'm', 'a')$$, '3');
select pgq_coop.unregister_subconsumer('q', 'm', 'a', 2);
select expect_error($$select pgq.next_batch('q', 'm.a')$$, 'consumer m.a on queue q is a subconsumer and has no batch of its own');
select expect_error($$select pgq.register_consumer_at('q', 'm.a', 2)$$, 'cannot reposition, consumer m.a is a subconsumer');
select expect_members('m:4,-,- m.a:3,-,4 m.b:-,-,-');

-- And the other way round: an ordinary consumer keeps its position
select expect($$select pgq.register_consumer_at('q', 'plain', 3)$$, '1');
select expect($$select pgq.next_batch('q', 'plain')$$, '4');
select expect($$select pgq_coop.finish_batch(4)$$, '1');
select expect($$select last_tick, current_batch from pgq.get_consumer_info('q', 'plain')$$, '4,');

-- The group's position may be set, its members' open batches stay
select expect($$select pgq_coop.next_batch('q', 'm', 'b')$$, '5');
select expect($$select pgq.register_consumer_at('q', 'm', 1)$$, '0');
select expect_members('m:1,-,- m.b:3,5,4');
-- Removing the main consumer while it has a batch open removes the group
select expect($$select pgq.next_batch('q', 'm')$$, '6');
select expect($$select pgq.unregister_consumer('q', 'm')$$, '2');
select expect($$select consumer_name from pgq.get_consumer_info('q')$$, 'plain');

-- An ordinary consumer of that name, or a member of another group, is not mixed in
select pgq.register_consumer('q', 'm.a');
select expect_error($$select pgq_coop.register_subconsumer('q', 'm', 'a')$$, 'consumer m.a on queue q is not a subconsumer of m');
select expect_error($$select pgq_coop.next_batch('q', 'm', 'a')$$, 'consumer m.a on queue q is not a subconsumer of m');
select expect($$select count(*) from pgq.consumer where co_name = 'm'$$, '0');
select pgq_coop.register_subconsumer('q', 'm', 'b');
select expect_error($$select pgq_coop.next_batch('q', 'm', 'a')$$, 'consumer m.a on queue q is not a subconsumer of m');
select expect_error($$select pgq_coop.unregister_subconsumer('q', 'm', 'a', 2)$$, 'consumer m.a on queue q is not a subconsumer of m');
select pgq_coop.register_subconsumer('q', 'm.a', 'x');   -- may be a group of its own
select expect_error($$select pgq_coop.register_subconsumer('q', 'm', 'a.x')$$, 'consumer m.a.x on queue q is not a subconsumer of m');
select expect_error($$select pgq_coop.unregister_subconsumer('q', 'm', 'a.x', 2)$$, 'consumer m.a.x on queue q is not a subconsumer of m');
select expect_error($$select pgq_coop.register_subconsumer('q', 'm.b', 'x')$$, 'consumer m.b on queue q is itself a subconsumer');
select expect_error($$select pgq_coop.next_batch('q', 'm.b', 'x')$$, 'consumer m.b on queue q is itself a subconsumer');
call add_batch('four');
select expect($$select batch_data(pgq.next_batch('q', 'm.a'))$$, 'four');
select expect($$select batch_data(pgq_coop.next_batch('q', 'm', 'b'))$$, 'four');
select expect($$select pgq.unregister_consumer('q', 'm')$$, '2');
select expect($$select consumer_name from pgq.get_consumer_info('q')$$, 'm.a ; m.a.x ; plain');

-- A paused group gets nothing: no new batch, not the member's open one, none of a silent or a gone member
select pgq_coop.register_subconsumer('q', 'p', 'a'), pgq_coop.register_subconsumer('q', 'p', 'b');
call add_batch('five');
select pgq_coop.next_batch('q', 'p', 'a') as batch \gset
call add_batch('six');
select skytools.pause_consumer('q', 'p');
select silent(array['p.a', 'p.b'], '1 hour');
select expect($$select pgq_coop.next_batch('q', 'p', 'b', '1 minute'), pgq_coop.next_batch('q', 'p', 'a')$$, ',');
-- who asks is alive all the same
select expect($$select count(*) from pgq.get_consumer_info('q') where consumer_name ~ '^p\.' and last_seen < '1 minute'$$, '2');
select expect(format('select batch_data(%s), pgq_coop.unregister_subconsumer(''q'', ''p'', ''a'', 2)', :batch), 'five,1');
select expect($$select pgq_coop.next_batch('q', 'p', 'b')$$, '');
select skytools.resume_consumer('q', 'p');
select expect($$select batch_data(pgq_coop.next_batch('q', 'p', 'b'))$$, 'five');
