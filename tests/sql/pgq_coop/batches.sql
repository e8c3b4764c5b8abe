-- Giving out and finishing the batches of a group.
\ir helpers.psql

select expect($$select pgq_coop.version() like '3.4%'$$, 't');
select expect_error($$select pgq_coop.next_batch('q', 'm', 'a')$$, 'Event queue not created yet');
select pgq.create_queue('q');

-- The first call registers the consumer and the worker; from then on the group sees what comes
select expect($$select pgq_coop.next_batch('q', 'm', 'a')$$, '');
select expect_members('m:1,-,- m.a:-,-,-');
call add_batch('one');
call add_batch('two');
call add_batch('three');

-- Two workers get consecutive batches; asking again gives the same one; the group has moved on
select expect($$select pgq_coop.next_batch('q', 'm', 'a')$$, '1');
select expect($$select pgq_coop.next_batch('q', 'm', 'b')$$, '2');
select expect($$select pgq_coop.next_batch('q', 'm', 'a'), pgq_coop.next_batch('q', 'm', 'b', '1 hour')$$, '1,2');
select expect($$select batch_data(1), batch_data(2)$$, 'one,two');
select expect_members('m:3,-,- m.a:1,1,2 m.b:2,2,3');
select expect($$select consumer_name, prev_tick_id, tick_id from pgq.get_batch_info(2)$$, 'm.b,2,3');

-- They finish in any order
select expect($$select pgq_coop.finish_batch(2)$$, '1');
select expect_members('m:3,-,- m.a:1,1,2 m.b:-,-,-');
select expect($$select pgq_coop.next_batch('q', 'm', 'b')$$, '3');
select expect($$select batch_data(3)$$, 'three');
select expect($$select pgq_coop.next_batch('q', 'm', 'c')$$, '');
select expect($$select pgq_coop.finish_batch(1), pgq_coop.finish_batch(3)$$, '1,1');
select expect_members('m:4,-,- m.a:-,-,- m.b:-,-,- m.c:-,-,-');
select expect($$select pgq_coop.next_batch('q', 'm', 'a')$$, '');
set client_min_messages = error;   -- it warns
select expect($$select pgq_coop.finish_batch(3), pgq_coop.finish_batch(99), pgq_coop.finish_batch(null)$$, '0,0,0');
reset client_min_messages;

-- Asking in vain writes nothing
begin;
select expect($$select pgq_coop.next_batch('q', 'm', 'a'), pgq_coop.next_batch('q', 'm', 'b', '1 hour')$$, ',');
select expect($$select txid_current_if_assigned()$$, '');
commit;

-- Idle members have no lag and no position, but were seen
select expect($$select lag, last_tick, pending_events, last_seen is not null from pgq.get_consumer_info('q', 'm.a')$$, ',,,t');

-- Limits are those of pgq.next_batch_custom
call add_batch('four');
select expect($$select pgq_coop.next_batch_custom('q', 'm', 'a', null, 2, null)$$, '');
call add_batch('five');
select expect($$select pgq_coop.next_batch_custom('q', 'm', 'a', '3 hours', null, null, '1 hour')$$, '');
select expect($$select pgq_coop.next_batch_custom('q', 'm', 'a', null, 2, null, '1 hour')$$, '4');
select expect($$select batch_data(4)$$, '"four five"');
select expect($$select pgq_coop.finish_batch(4)$$, '1');

-- What a member retries comes back to the group, to one member, and to nobody else
select expect($$select pgq.register_consumer('q', 'other')$$, '1');
call add_batch('six', 'seven');
select expect($$select pgq_coop.next_batch('q', 'm', 'a')$$, '5');
select expect($$select pgq.event_retry(5, ev_id, 0) from pgq.get_batch_events(5) where ev_data = 'six'$$, '1');
select expect($$select pgq_coop.finish_batch(5)$$, '1');
select expect($$select pgq.maint_retry_events()$$, '1');
select tick_now('q');
select expect($$select pgq_coop.next_batch('q', 'm', 'b')$$, '6');
select expect($$select pgq_coop.next_batch('q', 'm', 'c')$$, '');
select expect($$select ev_data, ev_retry from pgq.get_batch_events(6)$$, 'six,1');
select expect($$select pgq.next_batch('q', 'other')$$, '7');
select expect($$select batch_data(7), pgq.finish_batch(7)$$, '"six seven",1');
select expect($$select pgq.next_batch('q', 'other')$$, '8');
select expect($$select batch_data(8), pgq.finish_batch(8)$$, ',1');
select expect($$select pgq_coop.finish_batch(6)$$, '1');

-- Busy members hold up rotation with the start of their batch, idle ones don't. Two rotations bring the next table to be
-- emptied to the one that holds the batch's events.
select pgq.unregister_consumer('q', 'other');
update pgq.queue set queue_rotation_period = '0';
create procedure rotate() language plpgsql as $$
begin
  perform pgq.maint_rotate_tables_step1('q');
  commit;
  perform pgq.maint_rotate_tables_step2();
  commit;
end $$;
create procedure idle_batch() language plpgsql as $$   -- the group moves on
declare v_batch bigint;
begin
  perform tick_now('q');
  commit;
  v_batch := pgq_coop.next_batch('q', 'm', 'b');
  perform pgq_coop.finish_batch(v_batch);
  commit;
end $$;
call add_batch('held');
select expect($$select pgq_coop.next_batch('q', 'm', 'a')$$, '9');
call idle_batch(); call rotate();
create table seen as select queue_cur_table from pgq.queue;
call idle_batch(); call rotate();
call idle_batch(); call rotate();
select expect($$select q.queue_cur_table = s.queue_cur_table from pgq.queue q, seen s$$, 't');
select expect($$select batch_data(9)$$, 'held');
select expect($$select pgq_coop.finish_batch(9)$$, '1');
call idle_batch(); call rotate();
select expect($$select q.queue_cur_table = s.queue_cur_table from pgq.queue q, seen s$$, 'f');

select expect($$select pgq.drop_queue('q', true)$$, '1');
select expect($$select (select count(*) from pgq.subscription), (select count(*) from pgq.consumer)$$, '0,0');
