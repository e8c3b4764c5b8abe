-- Registration, batches and their ends in one session: results and errors of every consumer function.

select pgq.create_queue('q'), pgq.create_queue('r');
update pgq.tick set tick_event_seq = 1;  -- what a first tick holds differs: ticker.sql
select pgq.register_consumer('q', 'c1');
select pgq.register_consumer('q', 'c1');
select pgq.register_consumer('none', 'c1');
select pgq.register_consumer(null, 'c1');
select pgq.register_consumer('q', null);
select pgq.register_consumer('r', 'c1');
select pgq.register_consumer('q', '');
select pgq.register_consumer_at('q', 'new', 99);
select count(*) from pgq.consumer where co_name = 'new';
select pgq.register_consumer_at('q', 'c2', 1);
select pgq.register_consumer_at('q', 'c2', null);
select pgq.register_consumer_at(null, 'c2', 1);
select pgq.register_consumer_at('q', null, 1);
delete from pgq.tick where tick_queue = 2;
select pgq.register_consumer('r', 'c2');
select tick('r');
select pgq.register_consumer('r', 'c2');
select c.co_name, q.queue_name, sub_id, sub_last_tick, sub_batch, sub_next_tick, sub_active > now() - interval '1 minute'
  from pgq.subscription join pgq.queue q on queue_id = sub_queue join pgq.consumer c on co_id = sub_consumer order by 2, 1;

-- Unknown ones.
select * from pgq.next_batch_info('q', 'none');
select pgq.next_batch('none', 'c1');
select pgq.next_batch(null, null);
select pgq.next_batch('q', null);
select * from pgq.next_batch_custom(null, 'c1', null, null, null);
select pgq.finish_batch(null);
select pgq.finish_batch(77);
select * from pgq.get_batch_events(77);
select * from pgq.get_batch_events(null);
select pgq.batch_event_sql(77);
select pgq.batch_event_sql(null);
select * from pgq.batch_event_tables(77);
select * from pgq.batch_event_tables(null);
select * from pgq.get_batch_info(77);
select * from pgq.get_batch_info(null);
select pgq.unregister_consumer('q', 'none'), pgq.unregister_consumer('none', 'c1'), pgq.unregister_consumer(null, null);

-- A batch: open, asked for again, read, finished, finished again.
select pgq.next_batch('q', 'c1');
select pgq.insert_event('q', 't' || i, 'd', null, 'x', null, null) from generate_series(1, 5) i;
select pgq.next_batch('q', 'c1');
select tick('q');
select batch_id, cur_tick_id, prev_tick_id, cur_tick_time > prev_tick_time, cur_tick_event_seq, prev_tick_event_seq from pgq.next_batch_info('q', 'c1');
select pgq.next_batch('q', 'c1');
select batch_id, cur_tick_id, prev_tick_id from pgq.next_batch_custom('q', 'c1', '1 day', 100000, '1 day');
select ev_id, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4 from pgq.get_batch_events(1);
select queue_name, consumer_name, batch_end > batch_start, prev_tick_id, tick_id, lag < interval '1 minute', seq_start, seq_end from pgq.get_batch_info(1);
select * from pgq.batch_event_tables(1);
select pgq.batch_event_sql(1) ~ '^\s*select .*\sorder by 1\s*$';
select queue_name, consumer_name, lag < interval '1 minute', last_seen < interval '1 minute', last_tick, current_batch, next_tick, pending_events from pgq.get_consumer_info();
select pgq.finish_batch(1);
select pgq.finish_batch(1);
select pgq.next_batch('q', 'c1');
select * from pgq.next_batch_info('q', 'c1');

-- Empty batches count as batches.
select tick('q');
select pgq.next_batch('q', 'c1');
select * from pgq.get_batch_events(2);
select pgq.finish_batch(2);

-- Positions: forwards, backwards, with an open batch.
select pgq.register_consumer_at('q', 'c1', 1);
select sub_last_tick, sub_batch, sub_next_tick from pgq.subscription where sub_id = 1;
select pgq.next_batch('q', 'c1');
select ev_id, ev_type from pgq.get_batch_events(3);
select pgq.register_consumer_at('q', 'c1', 3);
select pgq.finish_batch(3);
select pgq.next_batch('q', 'c1');
select pgq.register_consumer_at('q', 'c1', 2);
select pgq.register_consumer_at('q', 'c1', 99);
select pgq.register_consumer_at('q', 'c1', null);
select pgq.next_batch('q', 'c1');
select batch_id, cur_tick_id, prev_tick_id from pgq.next_batch_info('q', 'c1');
select pgq.finish_batch(4);

-- Custom batches: by count, by interval, by lag.
select pgq.register_consumer_at('q', 'c1', 3);
create procedure fill() language plpgsql as $$
begin
  for i in 1 .. 12 loop
    perform pgq.insert_event('q', 'fill', 'd') from generate_series(1, i * 10);
    commit;
    perform pgq.force_tick('q');
    perform pgq.ticker('q');
    commit;
  end loop;
end $$;
call fill();
update pgq.tick set tick_time = date_trunc('hour', now()) - interval '1 day' + tick_id * interval '10 minutes' where tick_queue = 1;
update pgq.tick set tick_event_seq = 1000 + tick_id * tick_id * 10 where tick_queue = 1;
create function custom(i_lag interval, i_count integer, i_interval interval) returns text language plpgsql as $$
declare
  r record;
begin
  select * into r from pgq.next_batch_custom('q', 'c1', i_lag, i_count, i_interval);
  update pgq.subscription set sub_batch = null, sub_next_tick = null;
  return coalesce(r.prev_tick_id || '-' || r.cur_tick_id, 'none');
end $$;
select lag, count, span, custom(lag, count, span) from
  unnest('{NULL,"1 minute","22 hours","23 hours","30 hours"}'::interval[]) lag,
  unnest('{NULL,0,1,69,70,71,160,300,500,900,1000,2000,5000}'::int[]) count,
  unnest('{NULL,"0","10 minutes","11 minutes","20 minutes","1 hour","2 hours","3 hours"}'::interval[]) span;
select * from pgq.find_tick_helper(1, 3, (select tick_time from pgq.tick where tick_queue = 1 and tick_id = 3), 1090, 100, null) h(a, b, c)
  where b is not null and false;
select next_tick_id, next_tick_seq from pgq.find_tick_helper(1, 3, now() - interval '1 hour', 1090, 100, null);
select next_tick_id, next_tick_seq from pgq.find_tick_helper(1, 3, now() - interval '1 hour', 1090, null, null);
select next_tick_id, next_tick_seq from pgq.find_tick_helper(1, 99, now(), 1090, 1, '0');
select next_tick_id, next_tick_seq from pgq.find_tick_helper(9, 1, now(), 1, 1, '0');
select next_tick_id, next_tick_seq from pgq.find_tick_helper(null, null, null, null, null, null);
select pgq.find_tick_helper(1, 3, null, null, 1, '0') is not null;

-- A position whose tick is gone.
delete from pgq.tick where tick_queue = 1 and tick_id = 3;
select pgq.next_batch('q', 'c1');

-- Cursors over a batch.
select pgq.register_consumer('q', 'cur');
select pgq.insert_event('q', 'k' || i, i::text) > 0 from generate_series(1, 7) i;
select tick('q') > 0;
create function batch() returns bigint language sql as $$ select pgq.next_batch('q', 'cur') $$;
create function fetched(i_cursor refcursor, i_count integer) returns setof text language plpgsql as $$
declare
  r record;
begin
  for i in 1 .. i_count loop
    fetch i_cursor into r;
    exit when not found;
    return next r.ev_type || ' ' || r.ev_data;
  end loop;
end $$;
begin;
select ev_type, ev_data from pgq.get_batch_cursor(batch(), 'Cur X', 3);
select fetched('Cur X', 2);
move forward 1 in "Cur X";
move backward 1 in "Cur X";
move cur_x;
select fetched('Cur X', 9);
select name, is_holdable, is_binary, is_scrollable from pg_cursors where name not like '<%';
rollback;
begin;
select ev_type from pgq.get_batch_cursor(batch(), 'a"b', 0);
select fetched('a"b', 9);
select ev_type from pgq.get_batch_cursor(batch(), 'c', -1);
select fetched('c', 2);
select ev_type from pgq.get_batch_cursor(batch(), 'c2', 100);
select fetched('c2', 2);
select ev_type from pgq.get_batch_cursor(batch(), 'd', 2, $x$ev_type in ('k3', 'k4', 'k5', 'k1') and ev_data > '1'$x$);
select fetched('d', 9);
select ev_type from pgq.get_batch_cursor(batch(), 'e', 2, null);
select ev_type from pgq.get_batch_cursor(batch(), 'f', 2, 'false');
select ev_type from pgq.get_batch_cursor(batch(), 'g', 2, 'true or ev_id = 0 or ev_time > now() or ev_txid > 0 or ev_retry is null or ev_extra1 || ev_extra2 || ev_extra3 || ev_extra4 = 1::text');
select count(*) from pg_cursors where name not like '<%';
select ev_type from pgq.get_batch_cursor(batch(), 'e', 2);
rollback;
begin;
select * from pgq.get_batch_cursor(batch(), null, 5);
select * from pgq.get_batch_cursor(null, 'x', 5);
select * from pgq.get_batch_cursor(batch(), 'x', null);
select * from pgq.get_batch_cursor(batch(), null, 5, null);
select * from pgq.get_batch_cursor(null, 'x', 5, 'true');
select * from pgq.get_batch_cursor(batch(), 'x', null, 'true');
select count(*) from pg_cursors where name not like '<%';
select * from pgq.get_batch_cursor(7777, 'x', 5);
rollback;
select ev_type from pgq.get_batch_cursor(batch(), 'auto', 3);
fetch 1 from auto;
select * from pgq.get_batch_cursor(batch(), 'x', 5, 'no_such_column = 1');
select * from pgq.get_batch_cursor(batch(), 'x', 5, 'syntax error');
select * from pgq.get_batch_cursor(batch(), '', 5);
select pgq.finish_batch(batch());
select * from pgq.get_batch_cursor(batch(), 'x', 5);

-- Leaving: rows and retries of the consumer go; the name with its last queue.
select pgq.register_consumer('r', 'cur'), pgq.register_consumer('q', 'short');
select pgq.insert_event('q', 't', 'd') > 0, tick('q') > 0;
select pgq.next_batch('q', 'short') > 0;
select pgq.event_retry(sub_batch, (select max(ev_id) from pgq.event_1), 0) from pgq.subscription join pgq.consumer on co_id = sub_consumer where co_name = 'short';
select count(*) from pgq.retry_queue;
select pgq.unregister_consumer('q', 'short');
select count(*) from pgq.retry_queue;
select pgq.unregister_consumer('q', 'short');
select pgq.unregister_consumer('q', 'cur');
select co_name from pgq.consumer order by 1;
select pgq.unregister_consumer('r', 'cur'), pgq.unregister_consumer('r', 'c1'), pgq.unregister_consumer('q', 'c1');
select co_name from pgq.consumer order by 1;

-- Members of a group share a subscription id, and are called after its main consumer.
select pgq.register_consumer('q', 'main'), pgq.register_consumer('q', 'main.m1'), pgq.register_consumer('q', 'main.m2');
update pgq.subscription set sub_id = 1000, sub_last_tick = case when co_name <> 'main' then null else sub_last_tick end
  from pgq.consumer where co_id = sub_consumer and co_name in ('main', 'main.m1', 'main.m2');
select pgq.unregister_consumer('q', 'main.m1');
select co_name, sub_id from pgq.subscription join pgq.consumer on co_id = sub_consumer where sub_queue = 1 order by 1;
select pgq.unregister_consumer('q', 'main');
select co_name, sub_id from pgq.subscription join pgq.consumer on co_id = sub_consumer where sub_queue = 1 order by 1;
