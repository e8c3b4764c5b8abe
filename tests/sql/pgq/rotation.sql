-- Rotation of event tables, its two steps, what holds it back, and the ticks that go with it.
\ir helpers.psql

select pgq.create_queue('q');
update pgq.queue set queue_rotation_period = '1 hour';
create function state() returns text language sql as $$
  select concat_ws(' ', queue_cur_table, case when queue_switch_step2 is null then 'half' else 'done' end) from pgq.queue where queue_name = 'q' $$;
create function due() returns void language sql as $$ update pgq.queue set queue_switch_time = now() - interval '61 min' $$;
create function ticks() returns text language sql as $$ select string_agg(tick_id::text, ' ' order by tick_id) from pgq.tick $$;

-- Not due, no period, unknown
select expect($$select pgq.maint_rotate_tables_step1('q'), pgq.maint_rotate_tables_step1('nope'), pgq.maint_rotate_tables_step1(null)$$, '0,0,0');
alter table pgq.queue alter queue_rotation_period drop not null;
update pgq.queue set queue_rotation_period = null; select due();
select pgq.maint_rotate_tables_step1('q');
select expect($$select state()$$, '"0 done"');
update pgq.queue set queue_rotation_period = '1 hour';

-- Without consumers: two steps, and nothing more before the second
select pgq.insert_event('q', 't', 'old');
select tick_now('q'), tick_now('q');
select expect($$select pgq.maint_rotate_tables_step1('q')$$, '0');
select expect($$select state()$$, '"1 half"');
select expect($$select queue_switch_step1 > 0, queue_switch_time > now() - interval '1 min' from pgq.queue$$, 't,t');
select due(); select pgq.maint_rotate_tables_step1('q');
select expect($$select state()$$, '"1 half"');
select expect($$select pgq.current_event_table('q')$$, 'pgq.event_1_1');
select expect($$select last_value < queue_switch_step1 from skytools.rotation_1, pgq.queue$$, 't');
select expect($$select pgq.maint_rotate_tables_step2()$$, '0');
select expect($$select state(), queue_switch_step2 > queue_switch_step1 from pgq.queue$$, '"1 done",t');
select expect($$select last_value = queue_switch_step1 from skytools.rotation_1, pgq.queue$$, 't');
select expect($$select pgq.maint_rotate_tables_step2()$$, '0');
select expect($$select count(*) from pgq.event_1_0$$, '1');   -- the retired table keeps its events until its turn comes

-- Both steps in one transaction: the second waits for a later one
select due();
begin; select pgq.maint_rotate_tables_step1('q'), pgq.maint_rotate_tables_step2(); commit;
select expect($$select state()$$, '"2 half"');
select pgq.maint_rotate_tables_step2();
select expect($$select state()$$, '"2 done"');
select due(); select pgq.maint_rotate_tables_step1('q'); select pgq.maint_rotate_tables_step2();
select expect($$select state(), (select count(*) from pgq.event_1_0)$$, '"0 done",0');

-- A consumer holds rotation back until its position's snapshot begins after step 2
select pgq.register_consumer('q', 'c'), pgq.register_consumer('q', 'fast');
select due(); select pgq.maint_rotate_tables_step1('q');
select expect($$select state()$$, '"0 done"');
create function move(i_consumer text, i_xmin bigint) returns void language sql as $$
  insert into pgq.tick (tick_queue, tick_id, tick_snapshot, tick_event_seq)
  select 1, nextval('pgq.event_1_tick_seq'), (i_xmin || ':' || i_xmin || ':')::txid_snapshot, 1;
  select pgq.register_consumer_at('q', i_consumer, currval('pgq.event_1_tick_seq')) $$;
select move('c', queue_switch_step2), move('fast', queue_switch_step2 + 1) from pgq.queue;
select pgq.maint_rotate_tables_step1('q');
select expect($$select state()$$, '"0 done"');
-- idle members of a cooperative group don't count
select pgq.register_consumer('q', 'm'); update pgq.subscription set sub_last_tick = null where sub_id = 3;
select move('c', queue_switch_step2 + 1) from pgq.queue;
select pgq.maint_rotate_tables_step1('q');
select expect($$select state()$$, '"1 half"');
select pgq.unregister_consumer('q', 'm');
select pgq.maint_rotate_tables_step2();

-- Ticks of before the previous rotation go: those with xmin below the old step 2, but never the newest
update pgq.subscription set sub_last_tick = 100; delete from pgq.tick;
insert into pgq.tick (tick_queue, tick_id, tick_snapshot, tick_event_seq)
select 1, id, (x || ':' || x || ':')::txid_snapshot, 1 from pgq.queue,
  lateral (values (90, queue_switch_step2 - 1), (91, queue_switch_step2), (92, queue_switch_step2 + 1),
                  (93, queue_switch_step2 - 2), (100, queue_switch_step2 + 1)) v (id, x);
select due(); select pgq.maint_rotate_tables_step1('q');
select expect($$select state(), ticks()$$, '"2 half","91 92 100"');
select pgq.maint_rotate_tables_step2();
select pgq.unregister_consumer('q', 'c'), pgq.unregister_consumer('q', 'fast');
select due(); select pgq.maint_rotate_tables_step1('q'); select pgq.maint_rotate_tables_step2();
select expect($$select state(), ticks()$$, '"0 done",100');
select expect($$select pgq.register_consumer('q', 'c')$$, '1');

-- Something is wrong with the ids or a consumer's tick
update pgq.subscription set sub_last_tick = 5555;
select due();
select expect_error($$select pgq.maint_rotate_tables_step1('q')$$, 'queue q maint failure: tick 5555 not found');
update pgq.queue set queue_switch_step1 = 999999990;
select expect_error($$select pgq.maint_rotate_tables_step1('q')$$, 'queue q maint failure: step1=999999990, current=%');

-- Events go round all tables, each batch finds its own
select pgq.create_queue('round'); select pgq.register_consumer('round', 'c');
update pgq.queue set queue_rotation_period = '0' where queue_name = 'round';
create procedure round(i_nr int) language plpgsql as $$
declare
  v_batch bigint;
  v_seen  text;
begin
  perform pgq.insert_event('round', 't', 'before ' || i_nr); commit;
  perform pgq.maint_rotate_tables_step1('round'); commit;
  perform pgq.insert_event('round', 't', 'between ' || i_nr); commit;
  perform pgq.maint_rotate_tables_step2(); commit;
  perform pgq.insert_event('round', 't', 'after ' || i_nr); commit;
  perform tick_now('round'); commit;
  loop
    v_batch := pgq.next_batch('round', 'c'); commit;
    exit when v_batch is null;
    v_seen := concat_ws(',', v_seen, (select string_agg(ev_data, ',') from pgq.get_batch_events(v_batch)));
    perform pgq.finish_batch(v_batch); commit;
  end loop;
  assert v_seen = format('before %1$s,between %1$s,after %1$s', i_nr), v_seen;
end $$;
call round(1); call round(2); call round(3); call round(4); call round(5); call round(6); call round(7);
select expect($$select count(distinct tableoid) from pgq.event_2$$, '3');
select expect($$select queue_cur_table >= 0, pgq.seq_getval('pgq.event_2_id_seq') from pgq.queue where queue_name = 'round'$$, 't,21');
