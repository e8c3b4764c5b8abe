-- Rotation: when it happens, what holds it back, what goes with it, and batches across it.

select pgq.create_queue('q'), pgq.create_queue('r');
create function put(i_data text) returns void language sql as $$ select pgq.insert_event('q', 't', i_data) $$;
create function due() returns void language sql as $$ update pgq.queue set queue_switch_time = now() - interval '1 day' $$;
create function state() returns table (current integer, step1 boolean, step2 boolean, fresh boolean, ticks bigint) language sql as $$
  select queue_cur_table, queue_switch_step1 = txid_current(), queue_switch_step2 is not null, queue_switch_time > now() - interval '1 hour',
         (select count(*) from pgq.tick where tick_queue = queue_id)
    from pgq.queue where queue_name = 'q' $$;
create function batch() returns text language plpgsql as $$
declare
  v_batch bigint := pgq.next_batch('q', 'c');
  v_events text := (select string_agg(ev_data, ' ' order by ev_id) from pgq.get_batch_events(v_batch) where v_batch is not null);
begin
  if v_batch is not null then
    v_events := coalesce(v_events, 'empty') || ' from ' || (select string_agg(t, ' ') from pgq.batch_event_tables(v_batch) t);
    perform pgq.finish_batch(v_batch);
  end if;
  return v_events;
end $$;

-- Not due, unknown, twice.
select pgq.maint_rotate_tables_step1('q');
select * from state();
select pgq.maint_rotate_tables_step1('none'), pgq.maint_rotate_tables_step1(null);
select due();
begin;
select pgq.maint_rotate_tables_step1('q');
select * from state();
commit;
select pgq.maint_rotate_tables_step1('q');
select due();
select pgq.maint_rotate_tables_step1('q');
select * from state();
select pgq.maint_rotate_tables_step2();
select * from state();
select pgq.maint_rotate_tables_step2();
update pgq.queue set queue_rotation_period = '2 days';
select due();
select pgq.maint_rotate_tables_step1('q');
select * from state();
update pgq.queue set queue_rotation_period = '1 hour';
select tick('q') > 0;
begin;
select pgq.maint_rotate_tables_step1('q'), pgq.maint_rotate_tables_step2();
--! step 2 in the transaction of step 1 proves nothing about producers, so it is not done
--= 2|t|f|t|1
--= SELECT 1
select * from state();
commit;
select pgq.maint_rotate_tables_step2();
--! the same: step 2 came later
--= t
--= SELECT 1
select queue_switch_step2 > queue_switch_step1 from pgq.queue where queue_name = 'q';
select due();
select pgq.maint_rotate_tables_step1('q');
--! the newest tick stays: new consumers start there
--= 0|f|f|t|1
--= SELECT 1
select * from state();
select pgq.maint_rotate_tables_step2();
select tick('q') > 0;
do $$ begin delete from pgq.tick where tick_queue = 1 and tick_id < (select max(tick_id) from pgq.tick where tick_queue = 1); end $$;

-- A consumer on the last but one table holds it back; ticks go with the table they need.
select pgq.register_consumer('q', 'c');
select put('one');
select due();
select pgq.maint_rotate_tables_step1('q');
select * from state();
select tick('q') > 0;
select pgq.maint_rotate_tables_step1('q');
select * from state();
select batch();
select pgq.maint_rotate_tables_step1('q');
select * from state();
select put('two');
select pgq.maint_rotate_tables_step2();
select tick('q') > 0;
select due();
select pgq.maint_rotate_tables_step1('q');
select * from state();
select batch() like 'two from %';
select put('three');
select tick('q') > 0;
select pgq.maint_rotate_tables_step1('q');
select * from state();
select put('four');
select tick('q') > 0;
select batch() like 'three from %';
select batch() like 'four from %';
select pgq.maint_rotate_tables_step2();
select * from state();
select count(*) from pgq.tick where tick_queue = 1 and tick_id < (select min(sub_last_tick) from pgq.subscription);

-- A consumer exactly at the boundary.
select put('five');
select tick('q') > 0;
select batch() like 'five from %';
select due();
update pgq.queue set queue_switch_step2 = (select txid_snapshot_xmin(tick_snapshot) from pgq.tick, pgq.subscription where tick_queue = 1 and tick_id = sub_last_tick)
 where queue_name = 'q';
select pgq.maint_rotate_tables_step1('q');
select fresh from state();
update pgq.queue set queue_switch_step2 = queue_switch_step2 - 1 where queue_name = 'q';
select pgq.maint_rotate_tables_step1('q');
select fresh from state();
select pgq.maint_rotate_tables_step2();

-- Somebody reads the next table; somebody writes while it is rotated.
select tick('q') > 0;
select batch() is not null;
select put('six');
select tick('q') > 0;
select batch() like 'six from %';
select due();
--@ b
begin;
select count(*) >= 0 from pgq.event_template;
--@ a
select pgq.maint_rotate_tables_step1('q');
select fresh from state();
--@ b
commit;
begin;
select pgq.maint_rotate_tables_step1('q');
select fresh from state();
--@ a
set lock_timeout = '1s';
select put('while it rotates');
--! the queue's row is locked for no key update: foreign keys to it do not wait
--= t
--= SELECT 1
select tick('q') > 0;
--! the queue's row is locked for no key update: foreign keys to it do not wait
--= 1
--= SELECT 1
select pgq.register_consumer('q', 'late');
reset lock_timeout;
--@ b
commit;
select put('after step 1');
select tick('q') > 0;
--@ a
create function rest() returns text language plpgsql as $$
declare
  v_all text := '';
  v_batch text;
begin
  loop
    v_batch := batch();
    exit when v_batch is null;
    v_all := v_all || replace(regexp_replace(v_batch, ' from .*', ''), 'empty', '') || '.';
  end loop;
  return trim(both '.' from v_all);
end $$;
select replace(rest(), '.', ' ');
select pgq.unregister_consumer('q', 'late') is not null;
select pgq.maint_rotate_tables_step2();
select put('after step 2');
select tick('q') > 0;
select rest();

-- A long transaction over two rotations loses nothing.
--@ b
begin;
select put('long');
--@ a
select put('short');
select tick('q') > 0;
select rest();
select due();
select pgq.maint_rotate_tables_step1('q');
select pgq.maint_rotate_tables_step2();
select tick('q') > 0;
select rest();
select due();
select pgq.maint_rotate_tables_step1('q');
select fresh from state();
--@ b
select put('long too');
commit;
--@ a
select tick('q') > 0;
select rest();
select pgq.maint_rotate_tables_step1('q');
select fresh from state();
select pgq.maint_rotate_tables_step2();

-- A producer in an old snapshot.
select tick('q') > 0;
select rest();
--@ b
begin isolation level repeatable read;
select count(*) from pgq.subscription;
--@ a
select due();
select pgq.maint_rotate_tables_step1('q');
select pgq.maint_rotate_tables_step2();
select fresh from state();
select tick('q') > 0;
select rest();
--@ b
--! the row of the queue it sees is older than the rotation: its event would be lost
--= ERROR 40001: queue "q" was rotated after this transaction's snapshot
select put('stale');
--! it failed
--= ROLLBACK
commit;
--@ a
select tick('q') > 0;
select rest();

-- Broken states.
select due();
update pgq.queue set queue_switch_step1 = 900000000000000 where queue_name = 'q';
select regexp_replace(outcome($$select pgq.maint_rotate_tables_step1('q')$$), 'current=\d+', 'current=…');
update pgq.queue set queue_switch_step1 = 1 where queue_name = 'q';
delete from pgq.subscription where sub_id > 1;
update pgq.subscription set sub_last_tick = 3;
delete from pgq.tick where tick_queue = 1 and tick_id = 3;
select pgq.maint_rotate_tables_step1('q');
update pgq.subscription set sub_last_tick = null;
select pgq.maint_rotate_tables_step1('q');
select fresh from state();
