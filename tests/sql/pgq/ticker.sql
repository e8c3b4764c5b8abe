-- When a tick is due, what it holds, who gets none; force_tick.
\ir helpers.psql

select pgq.create_queue('q'), pgq.create_queue('decide');   -- ids 1 and 2

-- Is a tick due with ticks of these ages (NULL: no such tick) and so many new events?
create function due(i_older interval, i_newest interval, i_new int, i_max_lag interval default null, i_idle interval default null) returns boolean language plpgsql as $$
declare
  v_due boolean;
begin
  begin
    perform setval('pgq.event_2_id_seq', 1000);
    delete from pgq.tick where tick_queue = 2;
    insert into pgq.tick (tick_queue, tick_id, tick_time, tick_event_seq)
    select 2, id, now() - age, 1000 - i_new from (values (101, i_older), (102, i_newest)) t (id, age) where age is not null;
    perform setval('pgq.event_2_tick_seq', 102);
    v_due := coalesce(skytools.tick('decide', i_max_lag, i_idle), 0) = 103;
    raise exception using errcode = 'RB000';
  exception when sqlstate 'RB000' then
    return v_due;
  end;
end $$;

set client_min_messages = error;   -- the two with fewer events than before warn
do $$
declare
  r record;
begin
  for r in select * from (values
    -- events wait: their number or the age of the newest tick decides
    ('10 s',  '2 s',    1, false), ('10 s',  '2.999 s', 1, false), ('10 s', '3 s',  1, true), ('10 s', '3.1 s', 1, true),
    ('10 s',  '0 s',  499, false), ('10 s',  '0 s',   500, true),  ('10 s', '0 s', 501, true),
    (null,    '0 s',    1, false), (null,    '5 s',     1, true),  (null,   '0 s', 500, true),
    -- none wait: gaps between ticks double, from half of max_lag up to the idle period
    ('10 s',  '1.4 s',  0, false), ('5 s',   '1.6 s',   0, false), ('2 s',  '1.6 s', 0, true), ('3 s', '1.5 s', 0, false),
    ('3 s',   '1.49 s', 0, false), ('10 s',  '6.6 s',   0, false), ('10 s', '6.7 s', 0, true), ('14 s', '10 s', 0, true),
    ('100 s', '59 s',   0, false), ('100 s', '61 s',    0, true),  ('200 s', '60 s', 0, true), ('200 s', '90 s', 0, true),
    ('1.5 s', '1.49 s', 0, false), ('1.6 s', '1.5 s',   0, true),
    -- the sequence went backwards: as if idle
    ('10 s',  '1 s',   -5, false), ('3 s',   '2.9 s',  -5, true),
    -- only one tick, or none
    (null,    '0 s',    0, true),  (null,    null,      0, true),  (null,   null,   10, true)
  ) s (older, newest, new, due)
  loop
    assert due(r.older::interval, r.newest::interval, r.new) = r.due, format('%s: expected %s', r, r.due);
  end loop;
end $$;
reset client_min_messages;

-- skytools.tick: a shorter lag hastens waiting events, never the rhythm of an idle queue, and never delays
select expect($$select due('10 s', '2 s', 1, '2 s'), due('10 s', '2 s', 1, '2.1 s'), due('10 s', '0 s', 1, '0 s'), due('10 s', '2 s', 0, '0 s'),
                       due('10 s', '3 s', 1, '1 hour'), due('10 s', '0 s', 500, '1 hour')$$, 't,f,t,f,t,t');
-- a shorter idle period brings the tick of an idle queue forward, no closer than half of max_lag, and hastens no event
select expect($$select due('100 s', '40 s', 0, null, '40 s'), due('100 s', '40 s', 0, null, '41 s'), due('100 s', '1.4 s', 0, null, '0 s'),
                       due('100 s', '1.5 s', 0, null, '0 s'), due('100 s', '61 s', 0, null, '1 hour'), due('10 s', '2 s', 1, null, '0 s')$$,
              't,f,f,t,t,f');
select pgq.drop_queue('decide');

-- What a tick holds
select tick_now('q');
select pgq.insert_event('q', 't', 'd');
select expect($$select tick_now('q')$$, '3');
select expect($$select tick_queue, tick_id, tick_event_seq, tick_time <= clock_timestamp(), txid_snapshot_xmax(tick_snapshot) <= txid_current()
                from pgq.tick order by tick_id$$, '1,1,0,t,t ; 1,2,0,t,t ; 1,3,1,t,t');
-- the first event ever is new, too
select pgq.create_queue('first'), pgq.insert_event('first', 't', 'd');
select expect($$select ev_new from pgq.get_queue_info('first')$$, '1');

-- No due tick: no transaction id
do $$
begin
  assert pgq.ticker('q') is null and skytools.tick('q', '1 s') is null, 'a tick is due';
  assert txid_current_if_assigned() is null, 'a tick that was not due took a transaction id';
end $$;

-- A second tick of the same queue at the same time is nobody's business; an old snapshot makes none
select tick_now('q');
begin isolation level repeatable read;
select expect($$select count(*) > 0 from pgq.tick$$, 't');
set local client_min_messages = error;
select expect($$select pgq.ticker('q')$$, '');
rollback;

select expect_error($$select pgq.ticker('nope')$$, 'no such queue');
select expect_error($$select pgq.ticker(null)$$, 'no such queue');
select expect_error($$select skytools.tick('nope', '1 s')$$, 'no such queue');
update pgq.queue set queue_ticker_paused = true where queue_name = 'q';
select expect_error($$select pgq.ticker('q')$$, 'Ticker has been paused for this queue');
update pgq.queue set queue_external_ticker = true where queue_name = 'q';
select expect_error($$select pgq.ticker('q')$$, 'This queue has external tick source.');

-- ticker() takes those that are neither, and one bad queue does not keep the others from their ticks
select pgq.create_queue('bad'), pgq.create_queue('zero');
update pgq.tick set tick_time = tick_time - interval '1 hour';
update pgq.tick set tick_snapshot = '999999990:999999995:' where tick_queue = (select queue_id from pgq.queue where queue_name = 'bad');
select expect_error($$select pgq.ticker('bad')$$, 'Invalid PgQ state: old xmin=999999990, old xmax=999999995, cur txid=%');
set client_min_messages = error;
select expect($$select pgq.ticker()$$, '2');
select expect($$select pgq.ticker()$$, '0');
reset client_min_messages;
select expect($$select queue_name, last_tick_id from pgq.get_queue_info()$$, 'bad,1 ; first,2 ; q,4 ; zero,2');
-- a snapshot whose end is ahead, but not its start, only warns
update pgq.tick set tick_snapshot = '3:999999995:', tick_time = tick_time - interval '1 hour'
 where tick_queue = (select queue_id from pgq.queue where queue_name = 'bad');
set client_min_messages = error;
select expect($$select pgq.ticker('bad')$$, '2');
reset client_min_messages;

-- force_tick moves the sequence so far that the next ticker run ticks; it only looks where it may not
select expect($$select pgq.force_tick('nope'), pgq.force_tick(null), pgq.force_tick('q')$$, ',,4');
select expect($$select pgq.seq_getval('pgq.event_1_id_seq')$$, '1');
update pgq.queue set queue_external_ticker = false where queue_name = 'q';
select expect($$select pgq.force_tick('q'), pgq.seq_getval('pgq.event_1_id_seq')$$, '4,1');
update pgq.queue set queue_ticker_paused = false where queue_name = 'q';
update pgq.tick set tick_time = now();
select expect($$select pgq.ticker('q')$$, '');
select expect($$select pgq.force_tick('q')$$, '4');
select expect($$select pgq.ticker('q')$$, '5');
select expect($$select pgq.create_queue('forced')$$, '1');
select expect($$select pgq.force_tick('forced')$$, '1');
select expect($$select pgq.insert_event('forced', 't', 'd')$$, '2002');
select expect($$select pgq.ticker('forced')$$, '2');
