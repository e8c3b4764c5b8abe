-- Tables on nodes that replay: a branch captures, a leaf refuses changes; both list what they do not use yet.
\ir ../expect.psql
create table t1 (id serial primary key, name text);
create table t2 (id int primary key);
create table "We ird" (id int primary key);
select pgq_node.register_location(q, n, 'x', false) from unnest(array['qb', 'ql', 'ql2']) q, unnest(array['me', 'p']) n;
select pgq_node.create_node('qb', 'branch', 'me', 'b_w', 'p', 1, null), pgq_node.create_node('ql', 'leaf', 'me', 'l_w', 'p', 5, null);

-- Only the root tells the set what there is.
select expect_error($$select londiste.root_notify_change('ql', 'a', 'b')$$, 'only root node can send events');
select expect_error($$select londiste.root_notify_change('qb', 'a', 'b')$$, 'only root node can send events');
select expect(format($$londiste.local_add_table(%L, 't1')$$, q), '404|Table not available on queue: public.t1') from unnest(array['qb', 'ql']) q;
select expect(format($$londiste.global_add_table('ql', %L)$$, t), '200|Table added: ' || t)
  from unnest(array['public.t1', 'public.orig', 'public.t2', 'public.elsewhere']) t;
select expect($$londiste.local_show_missing('ql')$$, 'r|public.elsewhere', 'r|public.orig', 'r|public.t1', 'r|public.t2');

-- Branch: to be copied, captured for its subscribers; no event.
begin;
select londiste.global_add_table('qb', t) from unnest(array['public.t1', 'public.orig']) t;
select expect($$londiste.local_show_missing('qb')$$, 'r|public.orig', 'r|public.t1');
select expect($$londiste.local_add_table('qb', 't1')$$, '200|Table added: public.t1');
select expect($$londiste.get_table_list('qb')$$, 'public.t1|true|~|~|~|~|~|0|~', 'public.orig|false|~|~|~|~|~|0|~');
select expect($$select * from triggers('t1')$$,
              '_londiste_qb_delete: AFTER DELETE STATEMENT capture_d(''qb'')', '_londiste_qb_insert: AFTER INSERT STATEMENT capture_i(''qb'')',
              '_londiste_qb_truncate: AFTER TRUNCATE STATEMENT capture_t(''qb'')', '_londiste_qb_update: AFTER UPDATE STATEMENT capture_u(''qb'')');
-- The queue takes events only from the worker, which writes as replica.
select expect_error($$insert into t1 (name) values ('local')$$, 'Insert into queue disallowed');
set local session_replication_role = replica;
insert into t1 (name) values ('replayed');
set local session_replication_role = origin;
select expect_events('qb');
select expect($$londiste.local_remove_table('qb', 't1')$$, '200|Table removed: public.t1');
select expect($$londiste.local_remove_table('qb', 't1')$$, '400|Table not registered locally: public.t1');
select expect($$select * from triggers('t1')$$);
rollback;

-- Leaf: to be copied unless said otherwise; changes are refused except for the worker's.
select expect($$londiste.local_add_table('ql', 't1')$$, '200|Table added: public.t1');
select expect($$londiste.local_add_table('ql', 't1')$$, '200|Table already added: public.t1');
select expect($$londiste.local_add_table('ql', 't2', '{expect_sync,tgflags=BIQ}')$$, '200|Table added: public.t2');
select expect($$londiste.local_add_table('ql', 'orig', null, null, 'We ird')$$, '200|Table added: public.orig(public.We ird)');
select expect($$londiste.local_add_table('ql', 'elsewhere')$$, '404|Table does not exist: public.elsewhere');
select expect($$londiste.get_table_list('ql')$$, 'public.t1|true|~|~|~|~|~|0|~', 'public.orig|true|~|~|~|~|~|0|public.We ird',
              'public.t2|true|ok|~|~|~|~|0|~', 'public.elsewhere|false|~|~|~|~|~|0|~');
select expect($$londiste.local_show_missing('ql')$$, 'r|public.elsewhere');
select expect($$select * from triggers('t1')$$, '_londiste_ql: AFTER INSERT OR DELETE OR UPDATE ROW capture_deny(''ql'', ''deny'')',
              '_londiste_ql_truncate: AFTER TRUNCATE STATEMENT capture_deny(''ql'', ''deny'')');
select expect($$select * from triggers('"We ird"')$$, '_londiste_ql: AFTER INSERT OR DELETE OR UPDATE ROW capture_deny(''ql'', ''ev_extra1=''''public.orig'''''', ''deny'')',
              '_londiste_ql_truncate: AFTER TRUNCATE STATEMENT capture_deny(''ql'', ''deny'')');
set session_replication_role = replica;
insert into t1 (name) values ('replayed');
reset session_replication_role;
select expect_error(s, 'Table ''public.t1'' to queue ''ql'': change not allowed (' || o || ')', 'XX000')
  from (values ('insert into t1 (name) values (''local'')', 'INSERT'), ('update t1 set name = ''local''', 'UPDATE'),
               ('delete from t1', 'DELETE'), ('truncate t1', 'TRUNCATE')) v (s, o);
select expect_error('insert into "We ird" values (1)', 'Table ''public.We ird'' to queue ''ql'': change not allowed (INSERT)', 'XX000');
delete from t2;
-- A provider's capture that came along with the table's DDL gives way to deny, TRUNCATE included.
drop trigger _londiste_ql_truncate on t2;
drop trigger _londiste_ql on t2;
create trigger _londiste_ql after insert or update or delete on t2 for each row execute function pgq.logutriga('ql');
create trigger _londiste_ql_truncate after truncate on t2 for each statement execute function pgq.sqltriga('ql');
select expect($$londiste.local_change_handler('ql', 't2', null, null)$$, '200|Handler changed for table: public.t2');
select expect($$select * from triggers('t2')$$, '_londiste_ql: AFTER INSERT OR DELETE OR UPDATE ROW capture_deny(''ql'', ''deny'')',
              '_londiste_ql_truncate: AFTER TRUNCATE STATEMENT capture_deny(''ql'', ''deny'')');
select expect_error('truncate t2', 'Table ''public.t2'' to queue ''ql'': change not allowed (TRUNCATE)', 'XX000');

-- A second queue that is not merged with the first may not fill the same table unasked.
select pgq_node.create_node('ql2', 'leaf', 'me', 'l2_w', 'p', 5, null), londiste.global_add_table('ql2', 'public.t1');
begin;
select expect($$londiste.local_add_table('ql2', 't1')$$,
              '405|Found local table public.t1 in queue ql, use remove-table first to remove all previous table subscriptions');
rollback;
begin;
select londiste.local_remove_table('ql', 't1');
select expect($$londiste.local_add_table('ql2', 't1')$$,
              '405|Found multiple sources for table public.t1, use merge-all or no-merge to continue');
rollback;
select expect($$londiste.local_add_table('ql2', 't1', '{no_merge,no_triggers}')$$, '200|Table added with no triggers: public.t1');
select pgq_node.drop_node('ql2', 'me');
select expect($$select count(*) from triggers('t1')$$, '2');

-- Removed here: the set keeps it. Removed from the set: gone with its triggers.
select expect($$londiste.local_remove_table('ql', 'none')$$, '400|Table not found: public.none');
select expect($$londiste.local_remove_table('ql', 'elsewhere')$$, '400|Table not registered locally: public.elsewhere');
select londiste.local_set_table_state('ql', 'orig', null, 'in-copy'), londiste.local_set_table_struct('ql', 'orig', 'create index made_again on "We ird" (id)');
set session_replication_role = replica;
insert into "We ird" values (1);
reset session_replication_role;
select expect($$londiste.local_remove_table('ql', 'orig')$$, '200|Table removed: public.orig');
select expect('"We ird"');
select expect($$select 'made_again'::regclass$$, 'made_again');
select expect($$select * from triggers('"We ird"')$$);
select expect($$londiste.get_table_list('ql') where table_name = 'public.orig'$$, 'public.orig|false|~|~|~|~|~|0|~');
select expect($$londiste.global_remove_table('ql', 'orig')$$, '200|Table removed: public.orig');
select expect($$londiste.global_remove_table('ql', 'orig')$$, '400|Table not found: public.orig');
select expect($$londiste.global_remove_table('ql', 'public.t1')$$, '200|Table removed: public.t1');
insert into t1 (name) values ('free');
select expect($$select table_name from londiste.get_table_list('ql')$$, 'public.t2', 'public.elsewhere');
select pgq_node.drop_node('ql', 'me');
truncate t2;
select expect('londiste.table_info where queue_name = ''ql''');
