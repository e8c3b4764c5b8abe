-- Queues are created, configured and dropped; utility functions and the version.
\ir helpers.psql

-- create
select expect($$select pgq.create_queue('q')$$, '1');
select expect($$select pgq.create_queue('q')$$, '0');
select expect_error($$select pgq.create_queue(null)$$, 'Invalid NULL value');
select expect($$select queue_id, queue_ntables, queue_cur_table, queue_rotation_period, queue_external_ticker, queue_disable_insert,
                       queue_ticker_paused, queue_ticker_max_count, queue_ticker_max_lag, queue_ticker_idle_period, queue_per_tx_limit,
                       queue_data_pfx, queue_event_seq, queue_tick_seq, queue_extra_maint from pgq.queue$$,
              '1,3,0,02:00:00,f,f,f,500,00:00:03,00:01:00,,pgq.event_1,pgq.event_1_id_seq,pgq.event_1_tick_seq,');
select expect($$select queue_switch_step1 = queue_switch_step2 from pgq.queue$$, 't');
select expect($$select tick_queue, tick_id from pgq.tick$$, '1,1');
select expect($$select relname, reloptions from pg_class where relname like 'event\_1%' and relkind = 'r' order by 1$$,
              'event_1, ; event_1_0,"{fillfactor=100,autovacuum_enabled=off}" ; event_1_1,"{fillfactor=100,autovacuum_enabled=off}"'
              ' ; event_1_2,"{fillfactor=100,autovacuum_enabled=off}"');
select expect($$select count(*) from pg_index join pg_class t on t.oid = indrelid where t.relname like 'event\_1\__'$$, '3');
select expect($$select inhparent::regclass, count(*) from pg_inherits where inhparent in ('pgq.event_1'::regclass, 'pgq.event_template'::regclass)
                group by 1 order by count(*)$$, 'pgq.event_template,1 ; pgq.event_1,3');

-- Any text is a queue's name
select expect($$select pgq.create_queue('Odd Queue''s "x".y')$$, '1');
select expect($$select pgq.insert_event('Odd Queue''s "x".y', 't', 'd')$$, '1');
select expect($$select pgq.register_consumer('Odd Queue''s "x".y', 'it''s "me"')$$, '1');
select expect($$select pgq.drop_queue('Odd Queue''s "x".y', true)$$, '1');

-- configure: values are text, cast to the column's type
select expect(format('select pgq.set_queue_config(''q'', %L, %L)', p, v), '1')
  from (values ('ticker_max_count', '300'), ('ticker_max_lag', '1 s'), ('ticker_idle_period', '2 min'), ('ticker_paused', 'on'),
               ('rotation_period', '1 day'), ('external_ticker', 'true')) s (p, v);
select expect($$select queue_ticker_max_count, queue_ticker_max_lag, queue_ticker_idle_period, queue_ticker_paused,
                       queue_rotation_period, queue_external_ticker from pgq.queue$$, '300,00:00:01,00:02:00,t,"1 day",t');
select expect_error($$select pgq.set_queue_config('q', null, '1')$$, 'Invalid NULL value');
select expect_error($$select pgq.set_queue_config(null, 'ticker_paused', '1')$$, 'Invalid NULL value');
select expect_error($$select pgq.set_queue_config('nope', 'ticker_paused', '1')$$, 'No such event queue');
select expect_error(format('select pgq.set_queue_config(''q'', %L, ''1'')', p), 'cannot change parameter "' || p || 's"')
  from unnest(array['foo', 'disable_insert', 'per_tx_limit', 'ntables', 'extra_maint', 'queue_ticker_paused', 'x" = 1 --']) p;
select expect_error($$select pgq.set_queue_config('q', 'ticker_max_lag', null)$$, 'query string argument of EXECUTE is null', '22004');
select expect_error($$select pgq.set_queue_config('q', 'ticker_max_lag', 'abc')$$, 'invalid input syntax for type interval: "abc"', '22007');
select expect_error($$select pgq.set_queue_config('q', 'ticker_max_count', 'abc')$$, 'invalid input syntax for type integer: "abc"', '22P02');
select expect_error(format('select pgq.set_queue_config(''q'', %L, %L)', p, v), 'parameter ' || p || ' is out of range: ' || v, '22023')
  from (values ('ticker_max_count', '0'), ('ticker_max_lag', '-1 s'), ('ticker_idle_period', '-1 s'), ('rotation_period', '-1 s')) s (p, v);

-- rights and storage can be set again
select expect($$select pgq.grant_perms('q'), pgq.grant_perms('q')$$, '1,1');
select expect_error($$select pgq.grant_perms('nope')$$, 'Queue not found');
select expect($$select pgq.tune_storage('q'), pgq.tune_storage('nope')$$, '1,0');
create table source (a int); create table target (a int);
create role admin_grantee; grant select, update on source to admin_grantee with grant option; grant insert on source to public;
select expect($$select pgq._grant_perms_from('public', 'source', 'public', 'target')$$, '1');
select expect($$select privilege_type, is_grantable from aclexplode((select relacl from pg_class where relname = 'target'))
                where grantee = 'admin_grantee'::regrole order by 1$$, 'SELECT,t ; UPDATE,t');
select expect($$select privilege_type from aclexplode((select relacl from pg_class where relname = 'target')) where grantee = 0$$, 'INSERT');
drop table source, target; drop role admin_grantee;

-- Grants of the template are those of later queues
create role admin_extra; grant select on pgq.event_template to admin_extra;
select pgq.create_queue('later');
select expect($$select relname from pg_class where relname like 'event\_%' and relkind = 'r' and has_table_privilege('admin_extra', oid, 'select')
                order by 1$$, 'event_3 ; event_3_0 ; event_3_1 ; event_3_2 ; event_template');
select pgq.drop_queue('later'); revoke select on pgq.event_template from admin_extra; drop role admin_extra;

-- drop
select expect_error($$select pgq.drop_queue('nope')$$, 'No such event queue');
select expect_error($$select pgq.drop_queue(null, true)$$, 'No such event queue');
select expect($$select pgq.drop_queue(null) is null$$, 't');
select pgq.register_consumer('q', 'c'), pgq.register_consumer('q', 'd');
select expect_error($$select pgq.drop_queue('q')$$, 'cannot drop queue, consumers still attached');
select expect_error($$select pgq.drop_queue('q', null)$$, 'cannot drop queue, consumers still attached');
select pgq.event_retry_raw('q', 'c', now(), null, now(), 1, 't', 'd', null, null, null, null);
create view depends as select * from pgq.event_1_1;
select expect_error($$select pgq.drop_queue('q', true)$$, 'cannot drop table pgq.event_1_1 because other objects depend on it', '2BP01');
drop view depends;
select expect($$select pgq.drop_queue('q', true)$$, '1');
select expect($$select (select count(*) from pgq.queue), (select count(*) from pgq.tick), (select count(*) from pgq.subscription),
                       (select count(*) from pgq.consumer), (select count(*) from pgq.retry_queue)$$, '0,0,0,0,0');
select expect($$select oid::regclass from pg_class where relname ~ '^(event|rotation)_[0-9]'$$, null);
-- an id is never used again
select pgq.create_queue('q');
select expect($$select queue_id from pgq.queue$$, '4');

-- utilities
select expect($$select pgq.quote_fqname('a.b.C'), pgq.quote_fqname('x'), pgq.quote_fqname('pgq.event_1'), pgq.quote_fqname(null) is null$$,
              '"a.""b.C""",public.x,pgq.event_1,t');
select expect($$select pgq.quote_fqname('X') = 'public."X"', pgq.quote_fqname('') = 'public.""', pgq.quote_fqname('.a') = '"".a'$$, 't,t,t');
create sequence "Odd Seq";
select expect($$select pgq.seq_getval('Odd Seq'), pgq.seq_setval('Odd Seq', 10), pgq.seq_setval('public.Odd Seq', 5), pgq.seq_getval('Odd Seq')$$,
              '1,10,10,10');
select expect($$select nextval('"Odd Seq"')$$, '11');
select expect($$select pgq.seq_getval(null), pgq.seq_setval('Odd Seq', null)$$, ',');
select expect_error($$select pgq.seq_getval('pgq.none')$$, 'relation "pgq.none" does not exist', '42P01');
select expect_error($$select pgq.seq_setval('pgq.none', 1)$$, 'relation "pgq.none" does not exist', '42P01');

-- Tickers of the original want a first digit of 3 or more
select expect($$select pgq.version() ~ '^3\.5'$$, 't');

-- upgrade_schema repairs an older schema and may be repeated
select expect($$select pgq.upgrade_schema(), pgq.upgrade_schema()$$, '0,0');
alter table pgq.queue drop queue_extra_maint; alter table pgq.subscription alter sub_last_tick set not null;
select expect($$select pgq.upgrade_schema()$$, '0');
select expect($$select attname, attnotnull from pg_attribute where attname in ('queue_extra_maint', 'sub_last_tick')
                and attrelid in ('pgq.queue'::regclass, 'pgq.subscription'::regclass) order by 1$$, 'queue_extra_maint,f ; sub_last_tick,f');
