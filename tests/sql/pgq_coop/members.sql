-- Members come, go, die and come back. No batch is lost, and none can be finished by one who lost it.
\ir helpers.psql

select pgq.create_queue('q');
select expect_error($$select pgq_coop.register_subconsumer('nope', 'm', 'a')$$, 'Event queue not created yet');
select expect_error($$select pgq_coop.register_subconsumer('q', null, 'a')$$, 'null value in column "co_name"%', '23502');
select expect_error($$select pgq_coop.register_subconsumer('q', 'm', null)$$, 'null value in column "co_name"%', '23502');
select expect($$select count(*) from pgq.consumer$$, '0');
select expect($$select pgq_coop.register_subconsumer('q', 'm', 'a'), pgq_coop.register_subconsumer('q', 'm', 'a'),
                       pgq_coop.register_subconsumer('q', 'm', 'b')$$, '1,0,1');
select expect_members('m:1,-,- m.a:-,-,- m.b:-,-,-');
select expect($$select count(distinct sub_id) from pgq.subscription$$, '1');

-- An open batch is refused, unless it may go to the others: whether the caller says 1 or 2
call add_batch('one');
call add_batch('two');
select expect($$select pgq_coop.next_batch('q', 'm', 'a'), pgq_coop.next_batch('q', 'm', 'b')$$, '1,2');
select expect_error($$select pgq_coop.unregister_subconsumer('q', 'm', 'a', 0)$$, 'subconsumer has active batch');
select expect_error($$select pgq_coop.unregister_subconsumer('q', 'm', 'a', null)$$, 'subconsumer has active batch');
select expect_error($$select pgq_coop.unregister_subconsumer('q', 'm', 'a', 3)$$, 'subconsumer has active batch');
select expect($$select pgq_coop.unregister_subconsumer('q', 'm', 'a', 1), pgq_coop.unregister_subconsumer('q', 'm', 'a', 1)$$, '1,0');
select expect($$select pgq_coop.unregister_subconsumer('q', 'm', 'b', 2), pgq_coop.unregister_subconsumer('q', 'm', 'b', 0)$$, '1,0');
select expect_members('m:3,-,- m.a:1,-,2 m.b:2,-,3');

-- The one who left can do nothing with its batch any more
set client_min_messages = error;
select expect($$select pgq_coop.finish_batch(1), pgq.finish_batch(1)$$, '0,0');
reset client_min_messages;
select expect_error($$select pgq.get_batch_events(1)$$, 'batch not found');
select expect_error($$select pgq.event_retry(1, 1, 0)$$, 'event not found');

-- The next one who asks gets it under a new id, the oldest first, and before what is new
call add_batch('three');
select expect($$select pgq_coop.next_batch('q', 'm', 'c')$$, '3');
select expect_members('m:3,-,- m.b:2,-,3 m.c:1,3,2');
select expect($$select batch_data(3), pgq_coop.finish_batch(3)$$, 'one,1');
select expect($$select co_name from pgq.consumer order by 1$$, 'm ; m.b ; m.c');
-- Back before anybody took it: by registering, or just by asking
select expect($$select pgq_coop.register_subconsumer('q', 'm', 'b'), pgq_coop.register_subconsumer('q', 'm', 'b')$$, '1,0');
select expect_members('m:3,-,- m.b:2,4,3 m.c:-,-,-');
select expect($$select pgq_coop.unregister_subconsumer('q', 'm', 'b', 2)$$, '1');
select expect($$select pgq_coop.next_batch('q', 'm', 'b')$$, '5');
select expect($$select batch_data(5), pgq_coop.finish_batch(5)$$, 'two,1');

-- pgq.unregister_consumer leaves a member's batch to the others as well
select expect($$select pgq_coop.next_batch('q', 'm', 'b')$$, '6');
select expect($$select pgq.unregister_consumer('q', 'm.b'), pgq.unregister_consumer('q', 'm.b')$$, '1,0');
select expect($$select pgq_coop.next_batch('q', 'm', 'c')$$, '7');
select expect($$select batch_data(7), pgq_coop.finish_batch(7)$$, 'three,1');
-- Without a batch a member goes at once, with its name unless another queue knows it
select pgq.create_queue('r'), pgq_coop.register_subconsumer('r', 'm', 'c');
select expect($$select pgq_coop.unregister_subconsumer('q', 'm', 'c', 0), pgq_coop.unregister_subconsumer('r', 'x', 'c', 0)$$, '1,0');
select expect_members('m:4,-,-');
select expect($$select co_name from pgq.consumer order by 1$$, 'm ; m.c');
select expect($$select pgq.drop_queue('r', true)$$, '1');
select expect($$select co_name from pgq.consumer$$, 'm');

-- A name that something else refers to stays
create table refers (name text references pgq.consumer (co_name));
select pgq_coop.register_subconsumer('q', 'm', 'kept');
insert into refers values ('m.kept');
select expect($$select pgq_coop.unregister_subconsumer('q', 'm', 'kept', 0)$$, '1');
select expect_members('m:4,-,-');
select expect($$select co_name from pgq.consumer order by 1$$, 'm ; m.kept');
drop table refers;
delete from pgq.consumer where co_name = 'm.kept';

-- Dead is who was silent for the interval. Its batch goes on under a new id; its owner, back again, starts afresh
call add_batch('four');
call add_batch('five');
select expect($$select pgq_coop.next_batch('q', 'm', 'a')$$, '8');
select silent('{m.a}', '30 minutes');
select expect($$select pgq_coop.next_batch('q', 'm', 'b', '1 hour')$$, '9');
select expect($$select pgq_coop.finish_batch(9)$$, '1');
select silent('{m.a}', '40 minutes');
select expect($$select pgq_coop.next_batch('q', 'm', 'b')$$, '');
select expect($$select pgq_coop.next_batch('q', 'm', 'b', null)$$, '');
select expect($$select pgq_coop.next_batch('q', 'm', 'b', '1 hour')$$, '10');
select expect_members('m:6,-,- m.b:4,10,5');
select expect($$select co_name from pgq.consumer order by 1$$, 'm ; m.b');
set client_min_messages = error;
select expect($$select pgq_coop.finish_batch(8)$$, '0');
reset client_min_messages;
select expect($$select batch_data(10)$$, 'four');
select expect($$select pgq_coop.next_batch('q', 'm', 'a', '1 hour')$$, '');
select expect_members('m:6,-,- m.a:-,-,- m.b:4,10,5');
-- Asking again while at work shows that one lives
select silent('{m.b}', '2 hours');
select expect($$select pgq_coop.next_batch('q', 'm', 'b')$$, '10');
select expect($$select pgq_coop.next_batch('q', 'm', 'a', '1 hour')$$, '');
select expect($$select pgq_coop.finish_batch(10)$$, '1');
-- and so does asking in vain
select silent('{m.a}', '40 minutes');
select expect($$select pgq_coop.next_batch('q', 'm', 'a', '1 hour')$$, '');
select silent('{m.a}', '40 minutes');
-- Silent ones without a batch go, one per call; the asking one gets the group's next batch all the same
select pgq_coop.register_subconsumer('q', 'm', 'd'), pgq_coop.register_subconsumer('q', 'm', 'e');
select silent('{m.d,m.e}', '2 hours');
call add_batch('six');
select expect($$select pgq_coop.next_batch('q', 'm', 'b', '1 hour')$$, '11');
select expect($$select batch_data(11), pgq_coop.finish_batch(11)$$, 'six,1');
select expect($$select pgq_coop.next_batch('q', 'm', 'b', '1 hour')$$, '');
select expect_members('m:7,-,- m.a:-,-,- m.b:-,-,-');

-- The main consumer takes all along, also with batches open and left
call add_batch('seven');
call add_batch('eight');
select pgq_coop.next_batch('q', 'm', 'a'), pgq_coop.next_batch('q', 'm', 'b');
select pgq_coop.unregister_subconsumer('q', 'm', 'a', 2);
select expect($$select pgq.unregister_consumer('q', 'm')$$, '3');
select expect($$select (select count(*) from pgq.subscription), (select count(*) from pgq.consumer)$$, '0,0');
