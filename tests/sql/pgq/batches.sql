-- Opening and finishing batches, their limits, cursors; which events a batch holds, with made-up snapshots and transaction ids.
\ir helpers.psql

select pgq.create_queue('q');
select pgq.register_consumer('q', 'c'), pgq.register_consumer('q', 'd');

-- idle → open → idle; asking again repeats the batch
select expect_error($$select pgq.next_batch('q', 'nope')$$, 'Not subscriber to queue: q/nope');
select expect_error($$select pgq.next_batch(null, 'c')$$, 'Not subscriber to queue: NULL/c');
select expect_error($$select * from pgq.next_batch_info('q', null)$$, 'Not subscriber to queue: q/NULL');
select expect($$select pgq.next_batch('q', 'c')$$, '');
select expect($$select * from pgq.next_batch_info('q', 'c')$$, ',,,,,,');
select pgq.insert_event('q', 't', 'a');
select expect($$select tick_now('q')$$, '2');
select expect($$select pgq.next_batch('q', 'c')$$, '1');
select expect($$select pgq.next_batch('q', 'c')$$, '1');
select expect($$select batch_id, cur_tick_id, prev_tick_id, cur_tick_time > prev_tick_time, cur_tick_event_seq, prev_tick_event_seq
                from pgq.next_batch_info('q', 'c')$$, '1,2,1,t,1,0');
select expect($$select batch_id from pgq.next_batch_custom('q', 'c', '1 day', 1000, '1 day')$$, '1');   -- open: limits don't matter
select expect($$select queue_name, consumer_name, prev_tick_id, tick_id, batch_start < batch_end, lag >= '0', seq_start, seq_end
                from pgq.get_batch_info(1)$$, 'q,c,1,2,t,t,0,1');
select expect($$select * from pgq.get_batch_info(999)$$, ',,,,,,,,');
select expect($$select batch_data(1)$$, 'a');
select expect($$select pgq.next_batch('q', 'd')$$, '2');
set client_min_messages = error;
select expect($$select pgq.finish_batch(1)$$, '1');
select expect($$select pgq.finish_batch(1), pgq.finish_batch(999), pgq.finish_batch(null)$$, '0,0,0');
reset client_min_messages;
select expect($$select consumer_name, last_tick, current_batch, next_tick from pgq.get_consumer_info()$$, 'c,2,, ; d,1,2,2');
select pgq.finish_batch(2);
select expect($$select pgq.next_batch('q', 'c')$$, '');
-- nothing in it, but it has to be finished
select tick_now('q');
select expect($$select pgq.next_batch('q', 'c')$$, '3');
select expect($$select batch_data(3)$$, '');
select pgq.finish_batch(3);

select expect_error($$select pgq.get_batch_events(999)$$, 'batch not found');
select expect_error($$select pgq.get_batch_events(1)$$, 'batch not found');
select expect_error($$select pgq.get_batch_events(null)$$, 'batch not found');
select expect_error($$select pgq.batch_event_sql(999)$$, 'batch not found');
select expect_error($$select pgq.batch_event_tables(999)$$, 'Cannot find data for batch 999');

-- Cursors, one transaction block each. Events 2 … 7, data e1 … e6, types x and y in turn.
select pgq.insert_event('q', substr('xy', 1 + n % 2, 1), 'e' || n) from generate_series(1, 6) n;
select tick_now('q');
select pgq.next_batch('q', 'c');
begin;
select expect($$select ev_id, ev_data from pgq.get_batch_cursor(4, 'Cur X', 2)$$, '2,e1 ; 3,e2');
fetch forward 1 from "Cur X";
select expect($$select count(*) from pg_cursors where name = 'Cur X' and not is_scrollable and not is_holdable$$, '1');
commit;
-- what the cursor still has after the first rows
create function rest(i_cursor refcursor) returns text language plpgsql as $$
declare
  v_row record; v_out text;
begin
  loop
    fetch i_cursor into v_row;
    exit when not found;
    v_out := concat_ws(' ', v_out, v_row.ev_data);
  end loop;
  return v_out;
end $$;
begin;
select expect($$select ev_data from pgq.get_batch_cursor(4, 'a', 4, null)$$, 'e1 ; e2 ; e3 ; e4');
select expect($$select rest('a')$$, '"e5 e6"');
select expect($$select ev_data from pgq.get_batch_cursor(4, 'b', 2, 'ev_type = ''x'' -- even')$$, 'e2 ; e4');
select expect($$select rest('b')$$, 'e6');
select expect($$select ev_data from pgq.get_batch_cursor(4, 'c', 0, 'ev_type = ''y'' or ev_id = 3')$$, null);
select expect($$select rest('c')$$, '"e1 e2 e3 e5"');
select expect($$select ev_data from pgq.get_batch_cursor(4, 'd', -1)$$, null);
select expect($$select rest('d')$$, '"e1 e2 e3 e4 e5 e6"');
select expect($$select ev_data from pgq.get_batch_cursor(null, 'n', 1, null)$$, null);
select expect($$select ev_data from pgq.get_batch_cursor(4, null, 1, null)$$, null);
select expect($$select ev_data from pgq.get_batch_cursor(4, 'n', null, null)$$, null);
select expect($$select ev_data from pgq.get_batch_cursor(4, 'n', null)$$, null);
select expect($$select name from pg_cursors where name = 'n'$$, null);
select expect_error($$select pgq.get_batch_cursor(999, 'n', 1, null)$$, 'batch not found');
select expect_error($$select pgq.get_batch_cursor(4, 'n', 1, 'nonsense')$$, 'column "nonsense" does not exist', '42703');
commit;
select pgq.finish_batch(4);

-- Limits of next_batch_custom. Ticks a minute apart, the newest is 1 minute old, 10 events between them.
create function use_ticks() returns void language plpgsql as $$
begin
  delete from pgq.tick;
  insert into pgq.tick (tick_queue, tick_id, tick_time, tick_event_seq)
  select 1, n, now() - make_interval(mins => 6 - n), (n - 1) * 10 from generate_series(1, 5) n;
  update pgq.subscription set sub_last_tick = 1, sub_batch = null, sub_next_tick = null;
end $$;
select use_ticks();
create function batch_end(i_lag interval, i_count int, i_interval interval) returns bigint language plpgsql as $$
declare
  v_tick bigint;
begin
  begin
    v_tick := cur_tick_id from pgq.next_batch_custom('q', 'c', i_lag, i_count, i_interval);
    raise exception using errcode = 'RB000';
  exception when sqlstate 'RB000' then
    return v_tick;
  end;
end $$;
do $$
declare
  r record;
  v_helper bigint;
begin
  -- the same now() for the ticks and all calls, so that no limit moves
  perform use_ticks();
  for r in select * from (values
    -- lag, count, interval → end tick
    (null,        null, null,        2),
    ('1 min',     null, null,        2),
    ('4 min',     null, null,        2),   -- the next tick is judged, not a later one
    ('4 min 1 s', null, null,        null),
    (null,        50,   null,        null),
    (null,        41,   null,        null),
    (null,        40,   null,        5),
    (null,        20,   null,        5),   -- up to twice as far is near enough
    (null,        19,   null,        3),   -- more is not: the first one that satisfies
    (null,        10,   null,        2),
    (null,        1,    null,        2),
    (null,        0,    null,        2),
    (null,        null, '4 min 1 s', null),
    (null,        null, '4 min',     5),
    (null,        null, '2 min',     5),
    (null,        null, '1 min 59 s', 3),
    (null,        null, '1 s',       2),
    (null,        50,   '4 min',     5),   -- either limit will do
    (null,        40,   '10 min',    5),
    (null,        50,   '1 min 30 s', 3),
    (null,        12,   '1 min 59 s', 3),
    (null,        50,   '5 min',     null),
    ('1 min',     40,   null,        5),
    ('1 min 1 s', 40,   null,        null),
    ('3 min',     19,   null,        3)
  ) s (lag, events, span, tick)
  loop
    assert batch_end(r.lag::interval, r.events, r.span::interval) is not distinct from r.tick, format('expected %s', r);
    if r.lag is null and (r.events is not null or r.span is not null) then
      v_helper := next_tick_id from pgq.find_tick_helper(1, 1, now() - interval '5 min', 0, r.events, r.span::interval);
      assert v_helper is not distinct from r.tick, format('find_tick_helper: expected %s', r);
    end if;
  end loop;
  assert (select next_tick_id = 5 and next_tick_time = now() - interval '1 min' and next_tick_seq = 40
            from pgq.find_tick_helper(1, 1, now() - interval '5 min', 0, 40, null));
  assert (select f is null from pgq.find_tick_helper(1, 1, now() - interval '5 min', 0, null, null) f), 'no limit, no tick';
  assert (select f is null from pgq.find_tick_helper(1, 5, now() - interval '1 min', 40, 0, null) f), 'nothing after the newest tick';
  assert (select f is null from pgq.find_tick_helper(99, 0, now(), 0, 0, null) f), 'unknown queue';
end $$;
-- a batch over several ticks ends there and the next one starts there
select expect($$select prev_tick_id, cur_tick_id from pgq.next_batch_custom('q', 'c', null, 19, null)$$, '1,3');
select expect($$select pgq.finish_batch(sub_batch) from pgq.subscription where sub_batch is not null$$, '1');
select expect($$select prev_tick_id, cur_tick_id from pgq.next_batch_info('q', 'c')$$, '3,4');
