-- Making, configuring, watching, maintaining and dropping queues.

select pgq.create_queue('q');
select pgq.create_queue('q');
select pgq.create_queue(null);
select pgq.create_queue('');
select pgq.create_queue(repeat('long name ', 20));
select queue_id, queue_name, queue_data_pfx from pgq.queue order by 1;

-- Settings.
select pgq.set_queue_config('q', p, v), p from (values ('ticker_max_count', '7'), ('ticker_max_lag', '00:00:05'), ('ticker_idle_period', '2 hours'),
  ('ticker_paused', 'yes'), ('rotation_period', '1 day'), ('external_ticker', 'on')) t(p, v);
select queue_ticker_max_count, queue_ticker_max_lag, queue_ticker_idle_period, queue_ticker_paused, queue_rotation_period, queue_external_ticker from pgq.queue where queue_id = 1;
select p, v, outcome(format('select pgq.set_queue_config(%L, %L, %L)', 'q', p, v)) from (values
  ('foo', '1'), ('queue_ticker_max_lag', '1'), ('disable_insert', 'true'), ('per_tx_limit', '5'), ('ntables', '4'), ('extra_maint', '{a}'), ('name', 'x'),
  ('ticker_max_count', 'x'), ('ticker_max_count', '1.5'), ('ticker_max_count', '9999999999'), ('ticker_max_lag', 'abc'), ('ticker_paused', 'perhaps'),
  ('ticker_max_count', null), ('ticker_max_count; drop table pgq.tick', '1'), ('ticker_max_count''', '1'), ('', '1'), (null, '1'), ('foo', null), ('TICKER_PAUSED', 'f')) t(p, v);
select outcome($$select pgq.set_queue_config('none', 'ticker_max_count', '1')$$), outcome($$select pgq.set_queue_config('none', 'foo', '1')$$),
       outcome($$select pgq.set_queue_config(null, 'ticker_max_count', '1')$$), outcome($$select pgq.set_queue_config('q', null, null)$$),
       outcome($$select pgq.set_queue_config('none', null, '1')$$);
select pgq.set_queue_config('q', 'ticker_paused', 'f'), pgq.set_queue_config('q', 'external_ticker', 'f'), pgq.set_queue_config('q', 'ticker_max_lag', '3s'),
       pgq.set_queue_config('q', 'rotation_period', '2 hours');

-- Rights and storage again.
revoke all on pgq.event_1_0 from pgq_reader;
grant select on pgq.event_template to peer_plain with grant option;
select pgq.grant_perms('q');
select c.relname, a.grantee::regrole, a.privilege_type, a.is_grantable from pg_class c, aclexplode(c.relacl) a
 where c.relname like 'event\_1\_%' and a.grantee <> c.relowner order by 1, a.grantee::regrole::text, 3;
select outcome($$select pgq.grant_perms('none')$$), outcome('select pgq.grant_perms(null)');
create schema src; create table src."T 1" (i int); create table src.t2 (i int);
grant insert, update on src."T 1" to peer_writer; grant delete on src."T 1" to peer_reader with grant option; grant select on src."T 1" to public;
select pgq._grant_perms_from('src', 'T 1', 'src', 't2');
select a.grantee::regrole, a.grantee, a.privilege_type, a.is_grantable from pg_class c, aclexplode(c.relacl) a where c.oid = 'src.t2'::regclass and a.grantee <> 10 and a.grantee = 0
 union all select a.grantee::regrole, 1, a.privilege_type, a.is_grantable from pg_class c, aclexplode(c.relacl) a where c.oid = 'src.t2'::regclass and a.grantee <> 0 order by 1, 2, 3;
select outcome($$select pgq._grant_perms_from('src', 'none', 'src', 't2')$$), outcome($$select pgq._grant_perms_from('src', 'T 1', 'src', 'none')$$), pgq._grant_perms_from(null, 'T 1', 'src', 't2');
revoke all on pgq.event_template from peer_plain; drop schema src cascade;
alter table pgq.event_1_1 reset (fillfactor, autovacuum_enabled, toast.autovacuum_enabled);
select pgq.tune_storage('q'), pgq.tune_storage('none'), pgq.tune_storage(null);
select relname, reloptions from pg_class where relname like 'event\_1\__' order by 1;
select pgq.upgrade_schema();

-- What monitoring sees.
select queue_name, queue_ntables, queue_cur_table, queue_rotation_period, queue_switch_time <= now(), queue_external_ticker, queue_ticker_paused, queue_ticker_max_count,
       queue_ticker_max_lag, queue_ticker_idle_period, ticker_lag < interval '1 minute', ev_per_sec, ev_new, last_tick_id from pgq.get_queue_info();
select queue_name from pgq.get_queue_info('none');
select count(*) from pgq.get_queue_info(null);
select pgq.register_consumer('q', 'c'), pgq.register_consumer('', 'c'), pgq.register_consumer('q', 'b');
update pgq.tick set tick_time = now() - interval '100 seconds', tick_event_seq = 1 where tick_queue = 1;
insert into pgq.tick (tick_queue, tick_id, tick_time, tick_event_seq) select 1, 1 + i, now() - (100 - i * 2) * interval '1 second', i * 10 from generate_series(1, 30) i;
select setval('pgq.event_1_id_seq', 350), setval('pgq.event_1_tick_seq', 31);
select queue_name, date_trunc('second', ticker_lag), ev_per_sec, ev_new, last_tick_id from pgq.get_queue_info('q');
select queue_name, consumer_name, date_trunc('second', lag), last_seen < interval '1 minute', last_tick, current_batch, next_tick, pending_events from pgq.get_consumer_info('q');
select pgq.next_batch('q', 'c');
select queue_name, consumer_name, date_trunc('second', lag), last_tick, current_batch, next_tick, pending_events from pgq.get_consumer_info('q', 'c');
select queue_name, consumer_name from pgq.get_consumer_info(null, 'c');
select queue_name, consumer_name from pgq.get_consumer_info('q', null);
select queue_name, consumer_name from pgq.get_consumer_info(null);
select queue_name, consumer_name from pgq.get_consumer_info('none');
select queue_name, consumer_name from pgq.get_consumer_info('q', 'none');
update pgq.subscription set sub_last_tick = null where sub_consumer = 2;
select queue_name, consumer_name, date_trunc('second', lag), last_tick, pending_events from pgq.get_consumer_info('q');
delete from pgq.tick where tick_queue = 3;
select queue_name = '', date_trunc('minute', ticker_lag), ev_per_sec, ev_new, last_tick_id from pgq.get_queue_info() order by 1, 5;

-- What maintenance is asked to do.
select pgq.maint_rotate_tables_step2();
select * from pgq.maint_tables_to_vacuum();
select * from pgq.maint_operations();
update pgq.queue set queue_switch_time = now() - interval '1 day' where queue_name <> '';
select * from pgq.maint_operations();
update pgq.queue set queue_switch_step2 = null where queue_name = '';
select * from pgq.maint_operations();
update pgq.queue set queue_extra_maint = '{z.last,vacuum,a.first,"odd \"name\""}' where queue_name = 'q';
update pgq.queue set queue_extra_maint = '{only.one,NULL}' where queue_name = '';
--! an element without a name is no function
--= t
--= SELECT 1
select bool_and(func_name is not null) from pgq.maint_operations();
update pgq.queue set queue_extra_maint = '{only.one}' where queue_name = '';
select * from pgq.maint_operations();
update pgq.queue set queue_extra_maint = '{}' where queue_name = '';
--! an empty array asks for nothing; in the original it ends the maintenance of the database
--= z.last|q
--= vacuum|q
--= a.first|q
--= odd "name"|q
--= SELECT 4
select * from pgq.maint_operations() where func_arg = 'q' and func_name not like 'pgq.%';
create schema plainly authorization peer_plain;
create function plainly.job(text) returns integer language sql as 'select 0';
alter function plainly.job(text) owner to peer_plain;
update pgq.queue set queue_extra_maint = '{plainly.job,z.last}' where queue_name = 'q';
set client_min_messages = error;
--! a function of somebody who is neither the queue's owner nor a superuser would run with the ticker's rights
--= z.last|q
--= SELECT 1
select * from pgq.maint_operations() where func_name like 'plainly%' or func_name like 'z.%';
reset client_min_messages;
drop schema plainly cascade;
update pgq.queue set queue_extra_maint = null, queue_rotation_period = '10 years';
select pgq.maint_rotate_tables_step2();
create schema pgq_node; create function pgq_node.maint_watermark(text) returns int language sql as 'select 0';
create table pgq_node.node_info (queue_name text, node_type text); insert into pgq_node.node_info values ('q', 'root'), ('', 'branch');
select * from pgq.maint_operations();
drop schema pgq_node cascade;
create schema londiste; create function londiste.periodic_maintenance() returns int language sql as 'select 0';
select * from pgq.maint_operations();
drop schema londiste cascade;

-- Dropping.
select outcome($$select pgq.drop_queue('none')$$), outcome($$select pgq.drop_queue('none', true)$$), outcome('select pgq.drop_queue(null, true)'), outcome('select pgq.drop_queue(null)');
select outcome($$select pgq.drop_queue('q')$$), outcome($$select pgq.drop_queue('q', false)$$), outcome($$select pgq.drop_queue('q', null)$$);
select pgq.drop_queue('q', true);
select queue_name, consumer_name from pgq.get_consumer_info();
select co_name from pgq.consumer order by 1;
select count(*) from pg_class where relname like 'event\_1%';
select pgq.unregister_consumer('', 'c'), pgq.drop_queue('');
select count(*) from pgq.tick, pgq.queue where tick_queue = queue_id;
select pgq.create_queue('q');
select queue_id, queue_data_pfx from pgq.queue where queue_name = 'q';
create view uses_events as select * from pgq.event_5;
select outcome($$select pgq.drop_queue('q')$$);
drop view uses_events;
select pgq.drop_queue('q');

-- Two makers of one queue.
--@ b
begin;
select pgq.create_queue('both');
--@ c sends
select pgq.create_queue('both');
--@ b
commit;
--! whoever comes second finds the queue there
--= 0
--= SELECT 1
--@ c receives
--@ b
begin;
select pgq.register_consumer('both', 'same');
--@ c sends
select pgq.register_consumer('both', 'same');
--@ b
commit;
--! whoever comes second finds the consumer there
--= 0
--= SELECT 1
--@ c receives
