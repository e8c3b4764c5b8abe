-- When there is a tick: the decision table with faked ages, thresholds, external and paused queues, force_tick.

select pgq.create_queue('q');
-- The first event of a queue counts like others.
--! a sequence that was never used holds 1 as after the first event: only is_called tells them apart
--= 0
--= SELECT 1
select tick_event_seq from pgq.tick;

-- decide(age of the last but one tick or null, age of the newest or null, new events): does ticker('q') make a tick?
create function decide(i_prev interval, i_newest interval, i_new integer) returns text language plpgsql as $$
declare
  v_tick bigint;
begin
  delete from pgq.tick;
  perform setval('pgq.event_1_id_seq', 1000), setval('pgq.event_1_tick_seq', 2);
  insert into pgq.tick (tick_queue, tick_id, tick_time, tick_event_seq)
    select 1, id, now() - age, seq from (values (1, i_prev, 900), (2, i_newest, 1000 - i_new)) t(id, age, seq) where age is not null;
  v_tick := pgq.ticker('q');
  return case when v_tick is null then 'no'
              else format('tick %s seq %s', v_tick, (select tick_event_seq from pgq.tick where tick_id = v_tick)) end;
end $$;
select prev, newest, new, decide(prev::interval, newest::interval, new) from (values
  ('10s', '2s', 1), ('10s', '2.9s', 1), ('10s', '3s', 1), ('10s', '3.1s', 1), ('10s', '0s', 1), ('10s', '0s', 499), ('10s', '0s', 500),
  ('10s', '0s', 501), ('10s', '0s', 100000), ('10s', '1.4s', 0), ('10s', '1.5s', 0), ('10s', '1.6s', 0), ('5s', '1.6s', 0), ('2s', '1.6s', 0),
  ('1.6s', '1.6s', 0), ('3s', '1.9s', 0), ('3s', '2s', 0), ('3s', '2.1s', 0), ('14s', '10s', 0), ('14s', '8s', 0), ('100s', '59s', 0), ('100s', '60s', 0), ('100s', '61s', 0),
  ('1000s', '59.9s', 0), ('1 day', '60s', 0), (null, '0s', 0), (null, '1s', 0), (null, '0s', 1), (null, '2.9s', 1), (null, '3s', 1),
  (null, '0s', 500), (null, null, 0), (null, null, 700), ('5s', '-10s', 0), ('5s', '-10s', 1), ('5s', '-10s', 500), ('-5s', '-10s', 0)
 ) t(prev, newest, new);
select decide('10s', '5s', -1);
select decide('10s', '1s', -1);
select pgq.set_queue_config('q', 'ticker_max_lag', '0'), pgq.set_queue_config('q', 'ticker_max_count', '1');
select decide('10s', '0s', 1), decide('10s', '0s', 0), decide('0s', '0s', 0), decide(null, '0s', 0);
select pgq.set_queue_config('q', 'ticker_max_lag', '1 day'), pgq.set_queue_config('q', 'ticker_max_count', '2'), pgq.set_queue_config('q', 'ticker_idle_period', '0');
select decide('10s', '1s', 1), decide('10s', '1s', 2), decide('1 day', '11 hours', 0), decide('1 day', '12 hours', 0), decide('36 hours', '13 hours', 0);
select pgq.set_queue_config('q', 'ticker_max_lag', '3s'), pgq.set_queue_config('q', 'ticker_max_count', '500'), pgq.set_queue_config('q', 'ticker_idle_period', '1 minute');

-- What a tick is.
select tick_queue, tick_time = now(), txid_snapshot_xmin(tick_snapshot) <= txid_current() from pgq.tick where tick_id = (select max(tick_id) from pgq.tick) and decide(null, null, 0) <> '';
select pgq.ticker('none');
select pgq.ticker(null);

-- All queues: how many ticks were made.
select pgq.create_queue('r'), pgq.create_queue('s'), pgq.create_queue('t');
select decide('10s', '5s', 1) <> '', pgq.set_queue_config('s', 'ticker_paused', 'true'), pgq.set_queue_config('t', 'external_ticker', 'true');
select pgq.ticker();
delete from pgq.tick;
select pgq.ticker();
select queue_name, count(tick_id) from pgq.queue left join pgq.tick on tick_queue = queue_id group by 1 order by 1;
select pgq.ticker('s');
select pgq.ticker('t');
select pgq.set_queue_config('t', 'ticker_paused', 'true');
select pgq.ticker('t');
update pgq.queue set queue_ticker_paused = queue_name = 's';

-- Forced ticks.
select pgq.create_queue('f');
select pgq.force_tick('f'), last_value from pgq.event_5_id_seq;
select last_value from pgq.event_5_id_seq;
select pgq.ticker('f');
select pgq.force_tick('f');
select pgq.insert_event('f', 't', 'd');
select pgq.force_tick('none'), pgq.force_tick(null), pgq.force_tick('s'), pgq.force_tick('t');
delete from pgq.tick where tick_queue = 5;
select pgq.force_tick('f');

-- Ticks from outside.
select pgq.ticker('f', 100, now(), 100);
select pgq.ticker('t', 100, '2026-01-02 03:04:05+00', 5000);
select tick_id, tick_time = '2026-01-02 03:04:05+00', tick_event_seq from pgq.tick where tick_queue = 4;
select last_value from pgq.event_4_tick_seq;
select last_value from pgq.event_4_id_seq;
select pgq.ticker('t', 101, '2026-01-02 03:04:05+00', 5000);
--! ids of ticks from outside must grow: consumers go by them
--= ERROR P0001: queue "t": tick 90 is below the newest tick 101
select pgq.ticker('t', 90, '2026-01-02 03:04:05+00', 6000);
select pgq.ticker('t', 101, '2026-01-02 03:04:05+00', 5000);
select pgq.ticker('t', 102, '2026-01-02 03:04:05+00', 100);
select pgq.ticker('t', null, now(), 100);
select pgq.ticker('t', 103, now(), null);
select pgq.ticker('t', 104, null, 7000);
select pgq.ticker('none', 1, now(), 1);
select pgq.ticker(null, 1, now(), 1);
select pgq.set_queue_config('t', 'ticker_paused', 'true');
select pgq.ticker('t', 105, now(), 7000);

-- Snapshots from the future: a database restored into a cluster with lower transaction ids.
select pgq.create_queue('g');
update pgq.tick set tick_snapshot = '900000000000000:900000000000001:' where tick_queue = 6;
select regexp_replace(outcome($$select pgq.ticker('g')$$), 'cur txid=\d+', 'cur txid=…');
select pgq.force_tick('g');
set client_min_messages = error;
--! a queue that fails is left out; in the original it ends the ticks of the whole database
--= t
--= SELECT 1
select pgq.ticker() >= 0;
reset client_min_messages;

-- An idle ticker.
select pgq.create_queue('idle');
select tick('idle') > 0;
begin;
select pgq.ticker('idle');
--! asking without need takes no transaction id
--= t
--= SELECT 1
select txid_current_if_assigned() is null;
rollback;

-- Two tickers at once; a ticker in an old snapshot.
select pgq.create_queue('h');
begin;
select pgq.ticker('h');
--@ b
begin isolation level repeatable read;
select count(*) from pgq.tick where tick_queue = (select queue_id from pgq.queue where queue_name = 'h');
--! while one ticker works on a queue, another finds nothing to do: ticks with snapshots in the wrong order lose events
--= ~
--= SELECT 1
select pgq.ticker('h');
--@ a
commit;
select pgq.insert_event('h', 't', 'd');
select tick('h') > 0;
--@ b
--! a tick in a snapshot older than the newest tick would repeat events
--= WARNING: queue "h" not ticked: a tick needs READ COMMITTED
--= ~
--= SELECT 1
select pgq.ticker('h');
rollback;
