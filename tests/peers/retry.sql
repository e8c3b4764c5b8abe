-- Retries: queueing, moving, owners.

select pgq.create_queue('q'), pgq.create_queue('r');
select pgq.register_consumer('q', 'c'), pgq.register_consumer('q', 'd');
select pgq.insert_event('q', 't' || i, 'data', 'x1', 'x2', 'x3', 'x4') from generate_series(1, 30) i;
select tick('q') > 0;
select pgq.next_batch('q', 'c'), pgq.next_batch('q', 'd');
create view waiting as
  select ev_queue, ev_id, ev_owner, ev_retry, ev_txid, ev_type, ev_data, ev_extra1, ev_extra4 from pgq.retry_queue order by ev_queue, ev_owner, ev_id;

-- By seconds and by time.
select pgq.event_retry(1, 3, 0);
select pgq.event_retry(1, 3, 0);
select pgq.event_retry(1, 4, 3600);
select pgq.event_retry(1, 5, -3600);
select pgq.event_retry(1, 6, now());
select pgq.event_retry(1, 6, now() + interval '1 hour');
select pgq.event_retry(1, 7, 'infinity'::timestamptz);
select pgq.event_retry(2, 3, 0);
select pgq.event_retry(1, 99, 0);
select pgq.event_retry(1, 99, now());
select pgq.event_retry(99, 3, 0);
select pgq.event_retry(99, 3, now());
select pgq.event_retry(null, 3, 0);
select pgq.event_retry(1, null, 0);
select pgq.event_retry(1, 8, null::integer);
select pgq.event_retry(1, 8, null::timestamptz);
select * from waiting;
select ev_id, ev_owner, ev_retry_after > now() - interval '1 minute', ev_retry_after > now() + interval '59 minutes', ev_time < now() from pgq.retry_queue order by 2, 1;

-- All of a batch.
select pgq.batch_retry(2, 0);
select pgq.batch_retry(2, 0);
select pgq.batch_retry(99, 0);
select pgq.batch_retry(null, 0);
select pgq.batch_retry(1, null);
select count(*), count(distinct ev_id), sum(ev_retry) from pgq.retry_queue where ev_owner = 2;

-- With every value.
select pgq.event_retry_raw('q', 'c', now() - interval '1 hour', 500, now(), 7, 'raw', 'data', 'x1', 'x2', 'x3', 'x4');
select pgq.event_retry_raw('q', 'c', now() - interval '1 hour', null, now(), null, 'raw null', null, null, null, null, null) > 1000;
select pgq.event_retry_raw('q', 'c', now() - interval '1 hour', 500, now(), 7, 'raw', 'data', 'x1', 'x2', 'x3', 'x4');
select pgq.event_retry_raw('q', 'none', now(), 500, now(), 7, 'raw', 'data', null, null, null, null);
select pgq.event_retry_raw('none', 'c', now(), 500, now(), 7, 'raw', 'data', null, null, null, null);
select pgq.event_retry_raw(null, null, now(), 500, now(), 7, 'raw', 'data', null, null, null, null);
select pgq.event_retry_raw('q', 'c', null, 501, now(), 7, 'raw', 'data', null, null, null, null);
select pgq.event_retry_raw('q', 'c', now(), 502, null, 7, 'raw', 'data', null, null, null, null);
select ev_owner, ev_retry, ev_type, ev_extra4 from pgq.retry_queue where ev_type like 'raw%' order by ev_type, ev_retry;
delete from pgq.retry_queue where ev_type = 'raw null';

-- Moved back in chunks, seen by their owner alone, oldest ids first.
select pgq.finish_batch(1), pgq.finish_batch(2);
select pgq.maint_retry_events();
select pgq.maint_retry_events(), pgq.maint_retry_events(), pgq.maint_retry_events(), pgq.maint_retry_events(), pgq.maint_retry_events();
select * from waiting;
select pgq.insert_event('q', 'new', 'data') > 0;
select tick('q') > 0;
select pgq.next_batch('q', 'c'), pgq.next_batch('q', 'd');
select ev_id < 1000, case when ev_id < 1000 then ev_id end, ev_retry, ev_type, ev_data, ev_extra1, ev_extra4, ev_txid is not null from pgq.get_batch_events(3);
select ev_id < 1000, case when ev_id < 1000 then ev_id end, ev_retry, ev_type from pgq.get_batch_events(4);
select pgq.event_retry(3, 3, 0), pgq.event_retry(4, 3, 0);
select pgq.maint_retry_events();
select pgq.finish_batch(3), pgq.finish_batch(4);
select tick('q') > 0;
select pgq.next_batch('q', 'c'), pgq.next_batch('q', 'd');
select ev_id, ev_retry, ev_type from pgq.get_batch_events(5);
select ev_id, ev_retry, ev_type from pgq.get_batch_events(6);

-- A queue that takes no events.
select pgq.register_consumer('r', 'c');
select pgq.event_retry_raw('r', 'c', now() - interval '2 hours', 1, now(), 1, 'blocked', null, null, null, null, null);
select pgq.event_retry_raw('q', 'c', now() - interval '1 hour', 600, now(), 1, 'behind it', null, null, null, null, null);
update pgq.queue set queue_disable_insert = queue_name = 'r';
--! rows of a queue that takes no events wait; in the original they stop the retries of the whole database
--= 1
--= SELECT 1
select pgq.maint_retry_events();
select count(*) from pgq.retry_queue where ev_type = 'blocked';
update pgq.queue set queue_disable_insert = false;
select pgq.maint_retry_events() > 0;
select count(*) from pgq.retry_queue where ev_retry_after < now();

-- Two movers at once: the second waits.
select pgq.event_retry_raw('q', 'c', now() - interval '1 hour', 700, now(), 1, 'once', null, null, null, null, null);
--@ b
begin;
select pgq.maint_retry_events();
--@ c sends
select pgq.maint_retry_events();
--@ a
select pgq.event_retry_raw('q', 'c', now() - interval '1 hour', 701, now(), 1, 'does not wait', null, null, null, null, null);
--@ b
commit;
--@ c receives
select pgq.maint_retry_events();
select count(*) from pgq.event_1 where ev_type in ('once', 'does not wait');
