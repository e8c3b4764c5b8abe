-- Which events a batch holds and in which tables it looks, with made-up snapshots and transaction ids.
\ir helpers.psql

select pgq.create_queue('q');
select pgq.register_consumer('q', 'c'), pgq.register_consumer('q', 'other');   -- subscriptions 1 and 2

-- A batch from one snapshot to another, as open for c.
create procedure use_batch(i_from text, i_to text) language plpgsql as $$
begin
  update pgq.subscription set sub_last_tick = 1, sub_batch = null, sub_next_tick = null;
  delete from pgq.tick;
  insert into pgq.tick (tick_queue, tick_id, tick_snapshot, tick_event_seq)
  values (1, 1, i_from::txid_snapshot, 0), (1, 2, i_to::txid_snapshot, 0);
  update pgq.subscription set sub_batch = 7, sub_next_tick = 2 where sub_id = 1;
end $$;
-- One event per transaction id, the id its data, in the given table.
create procedure use_events(i_table regclass, variadic i_txids bigint[]) language plpgsql as $$
begin
  execute format('insert into %s (ev_time, ev_txid, ev_data) select now(), t, t from unnest($1) t', i_table) using i_txids;
end $$;
update pgq.queue set queue_switch_step1 = 50, queue_switch_step2 = 60;

-- A transaction that was open for long is looked up by itself; the rest is a range from the first snapshot's end
call use_events('pgq.event_1_0', 1000, 1325, 1326, 1327, 1483, 1484, 1486, 1487, 1490);
call use_batch('100:100:', '1326:1484:1326');
select expect($$select batch_data(7)$$, '"1000 1325 1327 1483"');
call use_batch('1326:1484:1326', '1487:1487:');
select expect($$select batch_data(7)$$, '"1326 1484 1486"');
select expect($$select pgq.batch_event_sql(7) like '%ev_txid in (1326)%', pgq.batch_event_sql(7) like '%ev_txid >= 1484 and ev_txid < 1487%'$$, 't,t');
select expect($$select pgq.batch_event_sql(7) ~ '^select .* order by 1$' or pgq.batch_event_sql(7) ~ '\norder by 1$'$$, 't');
-- it is still open at the end of the batch, and in the middle of the range
call use_batch('1326:1484:1326', '1326:1487:1326,1486');
select expect($$select batch_data(7)$$, '1484');
call use_batch('1326:1487:1326,1486', '1490:1491:1490');
select expect($$select batch_data(7)$$, '"1326 1486 1487"');
truncate pgq.event_1_0;

-- Ids close below the range widen it (100 are close, from the last one taken); others are listed. None comes twice.
call use_events('pgq.event_1_0', 1198, 1199, 1200, 1300, 1301, 1350, 1400, 1410, 1420, 1450, 1499, 1500, 1599, 1600);
call use_batch('1198:1500:1198,1199,1300,1400,1420', '1420:1600:1420');
select expect($$select batch_data(7)$$, '"1198 1199 1300 1400 1500 1599"');
select expect($$select pgq.batch_event_sql(7) like '%ev_txid >= 1300 and%', pgq.batch_event_sql(7) like '%in (1199, 1198)%'$$, 't,t');
call use_batch('1300:1400:1300', '1600:1600:');
select expect($$select pgq.batch_event_sql(7) like '%ev_txid >= 1300 and%', pgq.batch_event_sql(7) like '% in (%'$$, 't,f');
call use_batch('1299:1400:1299', '1600:1600:');
select expect($$select pgq.batch_event_sql(7) like '%ev_txid >= 1400 and%', pgq.batch_event_sql(7) like '% in (1299)%'$$, 't,t');
-- an id of the list that ended without events, an empty range
call use_batch('1250:1500:1250', '1500:1500:');
select expect($$select batch_data(7)$$, '');
truncate pgq.event_1_0;

-- Retried events only for their owner, also in the list part; they come first because their ids are old
insert into pgq.event_1_0 (ev_id, ev_time, ev_txid, ev_owner, ev_retry, ev_data) values
  (10, now(), 300, 1, 2, 'mine'), (11, now(), 300, 2, 1, 'theirs'), (12, now(), 110, 1, 1, 'mine too'), (13, now(), 110, 2, 1, 'theirs'),
  (20, now(), 301, null, null, 'all');
call use_batch('110:300:110', '400:400:');
select expect($$select ev_id, ev_retry, ev_data from pgq.get_batch_events(7)$$, '10,2,mine ; 12,1,"mine too" ; 20,,all');
truncate pgq.event_1_0;

-- Tables: T1 = 5000, T2 = 5010, current table 1
create function tables() returns text language sql as $$ select string_agg(t, ' ') from pgq.batch_event_tables(7) t $$;
create function tables_of(i_from text, i_to text, i_step2 bigint default 5010) returns text language plpgsql as $$
begin
  update pgq.queue set queue_switch_step2 = i_step2;
  call use_batch(i_from, i_to);
  return tables();
end $$;
update pgq.queue set queue_cur_table = 1, queue_switch_step1 = 5000;
select expect($$select tables_of('4000:4000:', '4999:4999:')$$, 'pgq.event_1_0');
select expect($$select tables_of('4000:4000:', '5000:5000:')$$, '"pgq.event_1_0 pgq.event_1_1"');
select expect($$select tables_of('4000:4000:', '4990:5000:4990')$$, '"pgq.event_1_0 pgq.event_1_1"');
select expect($$select tables_of('5010:5020:5010', '6000:6000:')$$, '"pgq.event_1_0 pgq.event_1_1"');
select expect($$select tables_of('5011:5020:5011', '6000:6000:')$$, 'pgq.event_1_1');
select expect($$select tables_of('5011:5020:5011', '6000:6000:', null)$$, '"pgq.event_1_0 pgq.event_1_1"');
select expect($$select tables_of('4000:4000:', '4999:4999:', null)$$, 'pgq.event_1_0');
update pgq.queue set queue_cur_table = 0;
select expect($$select tables_of('4000:4000:', '4999:4999:')$$, 'pgq.event_1_2');
select expect($$select tables_of('4000:4000:', '6000:6000:')$$, '"pgq.event_1_2 pgq.event_1_0"');
-- events of one batch in both tables, listed ones, too
update pgq.queue set queue_cur_table = 1, queue_switch_step2 = 5010;
call use_events('pgq.event_1_0', 4000, 4990, 5005); call use_events('pgq.event_1_1', 4500, 5001, 5020);
call use_batch('4000:4980:4000,4500', '5015:5015:');
select expect($$select batch_data(7)$$, '"4000 4990 5005 4500 5001"');

-- Real transactions: an aborted one is not there, an open one comes when it has ended
truncate pgq.event_1_0, pgq.event_1_1;
select pgq.create_queue('real'); select pgq.register_consumer('real', 'c');
begin; select pgq.insert_event('real', 't', 'aborted'); rollback;
begin; select pgq.insert_event('real', 't', 'open'); savepoint s; select pgq.insert_event('real', 't', 'lost'); rollback to s;
select pgq.insert_event('real', 't', 'open too'); prepare transaction 'pgq_open';
select pgq.insert_event('real', 't', 'first');
select tick_now('real');
select pgq.next_batch('real', 'c');
select expect($$select batch_data(sub_batch) from pgq.subscription where sub_batch <> 7$$, 'first');
select pgq.finish_batch(sub_batch) from pgq.subscription where sub_batch <> 7;
select count(txid_current()) from generate_series(1, 3);
commit prepared 'pgq_open';
select pgq.insert_event('real', 't', 'last');
select tick_now('real');
select pgq.next_batch('real', 'c');
select expect($$select batch_data(sub_batch) from pgq.subscription where sub_batch <> 7$$, '"open open too last"');
