-- Tables on a root: added, described, copied, handled otherwise, and removed; what the set hears of it.
\ir ../expect.psql
create schema s;
create table t1 (id serial primary key, name text);
create table t3 (id int primary key, name text);
create table s.t2 (id bigserial, k text, primary key (k, id));
create table "We ird" (id int primary key);
create table nokey (a int);
create view v1 as select 1 as id;
select pgq_node.register_location('qa', n, 'x', false) from unnest(array['me', 'p']) n;

-- No set
select expect($$londiste.local_add_table('none', 't1')$$, '400|No such set: none');
select expect($$londiste.local_remove_table('none', 't1')$$, '400|Table not found: public.t1');
select expect($$londiste.local_change_handler('none', 't1', null, null)$$, '400|No such set: none');
select expect($$londiste.global_add_table('none', 't1')$$, '400|No such queue: none');
select expect_error($$select londiste.global_remove_table('none', 't1')$$, 'queue does not exist: none');
select expect_error($$select londiste.root_notify_change('none', 'a', 'b')$$, 'queue does not exist: none');
select expect($$londiste.local_set_table_state('none', 't1', null, 'ok')$$, '404|No such table: public.t1');
select expect($$londiste.local_set_table_attrs('none', 't1', null)$$, '404|no such local table: public.t1');
select expect($$londiste.local_set_table_struct('none', 't1', null)$$, '404|no such local table: public.t1');
select expect_error($$select londiste.local_show_missing('none')$$, 'queue does not exist: none');
select expect($$londiste.get_table_list('none')$$);

-- What could be added: tables and sequences outside our schemas.
select pgq_node.create_node('qa', 'root', 'me', 'root_w', null, null, null);
select expect($$londiste.local_show_missing('qa') where obj_name <> 'public.events_seen'$$,
              'S|public.t1_id_seq', 'S|s.t2_id_seq', 'r|public.We ird', 'r|public.nokey', 'r|public.t1', 'r|public.t3', 'r|s.t2');

-- Refusals
select expect($$londiste.local_add_table('qa', 'none')$$, '404|Table does not exist: public.none');
select expect($$londiste.local_add_table('qa', 'v1')$$, '404|Table does not exist: public.v1');
select expect($$londiste.local_add_table('qa', 'orig', null, 'x', 'none')$$, '404|Table does not exist: public.orig(public.none)');
select expect($$londiste.local_add_table('qa', 'nokey')$$, '400|Primary key missing on table: public.nokey');
select expect($$londiste.local_add_table('qa', 't1', '{merge_all,no_merge}')$$, '405|Cannot use merge-all and no-merge together');
begin;
select expect($$londiste.local_add_table('qa', 't1', '{skip}')$$,
              '403|Trigger creation failed for table public.t1: AFTER trigger cannot work with SKIP trigger(s)');
rollback;
select expect_events('qa');
select expect('londiste.table_info');

-- The overloads; a table is in sync on a root. Known tables answer by their attributes.
select expect($$londiste.local_add_table('qa', 't1')$$, '200|Table added: public.t1');
select expect($$londiste.local_add_table('qa', 'public.t1')$$, '200|Table already added: public.t1');
select expect($$londiste.local_add_table('qa', 't1', '{tgflags=I}')$$, '200|Table already added: public.t1');
select expect($$londiste.local_add_table('qa', 't1', null, 'handler=x')$$, '410|Table public.t1 already added, but with different args: ');
select expect($$londiste.local_add_table('qa', 's.t2', '{tgflags=BI}', 'handler=h')$$, '200|Table added: s.t2');
select expect($$londiste.local_add_table('qa', 's.t2', null, 'handler=h')$$, '200|Table already added: s.t2');
select expect($$londiste.local_add_table('qa', 's.t2', null, 'handler=z')$$, '410|Table s.t2 already added, but with different args: handler=h');
select expect($$londiste.local_add_table('qa', 's.t2')$$, '410|Table s.t2 already added, but with different args: handler=h');
select expect($$londiste.local_add_table('qa', 'orig', '{skip_truncate}', 'a=b', 'We ird')$$, '200|Table added: public.orig(public.We ird)');
select expect($$londiste.local_add_table('qa', 'orig', '{skip_truncate}', 'a=b', 'We ird')$$, '200|Table already added: public.orig(public.We ird)');
select expect($$londiste.local_add_table('qa', 'virt', '{virtual_table}', 'handler=v')$$, '200|Table added with no triggers: public.virt');
select expect($$londiste.local_add_table('qa', 't3', '{no_triggers,skip_truncate}')$$, '200|Table added with no triggers: public.t3');
select expect($$select * from triggers('t3')$$);
select expect($$londiste.get_table_list('qa')$$,
              'public.t1|true|ok|~|~|~|~|0|~', 's.t2|true|ok|~|handler=h|~|~|0|~',
              'public.orig|true|ok|~|a=b&skip_truncate=1|~|~|0|public.We ird', 'public.virt|true|ok|~|handler=v|~|~|0|~',
              'public.t3|true|ok|~|skip_truncate=1|~|~|0|~');
select expect_events('qa', 'londiste.add-table|public.t1', 'londiste.add-table|s.t2', 'londiste.add-table|public.orig',
                     'londiste.add-table|public.virt', 'londiste.add-table|public.t3');
select expect($$londiste.local_show_missing('qa') where obj_name <> 'public.events_seen'$$, 'S|public.t1_id_seq', 'S|s.t2_id_seq', 'r|public.nokey');

-- Another handler
select expect($$londiste.local_change_handler('qa', 'none', null, 'handler=y')$$, '404|no such local table: public.none');
select expect($$londiste.local_change_handler('qa', 't1', '{tgflags=BI}', 'handler=y')$$, '200|Handler changed for table: public.t1');
select expect($$select * from triggers('t1')$$, '_londiste_qa: BEFORE INSERT ROW capture_r(''qa'')', '_londiste_qa_truncate: AFTER TRUNCATE STATEMENT capture_t(''qa'')');
select expect($$londiste.local_change_handler('qa', 'orig', null, null)$$, '200|Handler changed for table: public.orig(public.We ird)');
select expect($$londiste.local_change_handler('qa', 'virt', '{virtual_table}', 'handler=w')$$, '200|Table handler updated with no triggers: public.virt');
select expect($$londiste.local_change_handler('qa', 't1', '{skip}', null)$$,
              '403|Trigger creation failed for table public.t1: AFTER trigger cannot work with SKIP trigger(s)');
select expect($$londiste.local_change_handler('qa', 't1', null, null)$$, '200|Handler changed for table: public.t1');
select expect($$select table_name, table_attrs from londiste.get_table_list('qa')$$,
              'public.t1|~', 's.t2|handler=h', 'public.orig|~', 'public.virt|handler=w', 'public.t3|skip_truncate=1');

-- States of a copy
select expect($$londiste.local_set_table_state('qa', 't1', null, 'in-copy')$$, '200|Table public.t1 state set to ''in-copy''');
select expect($$londiste.local_set_table_struct('qa', 't1', 'create index i on t1 (name)')$$, '200|Table struct stored');
select expect($$londiste.local_set_table_state('qa', 't1', '1:1:', 'catching-up')$$, '200|Table public.t1 state set to ''catching-up''');
select expect($$londiste.get_table_list('qa') where table_name = 'public.t1'$$,
              'public.t1|true|catching-up|1:1:|~|create index i on t1 (name)|~|0|~');
select expect_error(format($$select londiste.local_set_table_state('qa', 't1', null, %L)$$, s), '%table_info%check%', '23514')
  from unnest(array['ok', 'wanna-sync:5', 'do-sync:5']) s;
select expect($$londiste.local_set_table_struct('qa', 't1', null)$$, '200|Table struct stored');
select expect($$londiste.local_set_table_state('qa', 't1', '1:1:', 'wanna-sync:5')$$, '200|Table public.t1 state set to ''wanna-sync:5''');
select expect($$londiste.local_set_table_state('qa', 't1', null, null)$$, '200|Table public.t1 state set to NULL');
select expect($$londiste.get_table_list('qa') where table_name = 'public.t1'$$, 'public.t1|true|~|~|~|~|~|0|~');
select expect($$londiste.local_set_table_attrs('qa', 't1', 'x=y')$$, '200|public.t1: Table attributes stored');
select expect($$select table_attrs from londiste.get_table_list('qa') where table_name = 'public.t1'$$, 'x=y');
select expect(format($$londiste.%s('qa', 'none', null)$$, f), '404|no such local table: public.none')
  from unnest(array['local_set_table_attrs', 'local_set_table_struct']) f;
select expect($$londiste.local_set_table_state('qa', 'none', null, 'ok')$$, '404|No such table: public.none');

-- Removed while its copy is under way: empty, with its structure back.
insert into t1 (name) values ('half copied');
select expect_events('qa', 'I:id|id=1&name=half+copied|public.t1');
select londiste.local_set_table_state('qa', 't1', null, 'in-copy'), londiste.local_set_table_struct('qa', 't1', 'create index made_again on t1 (name)');
select expect($$londiste.local_remove_table('qa', 't1')$$, '200|Table removed: public.t1');
select expect('t1');
select expect($$select 'made_again'::regclass$$, 'made_again');
select expect($$select * from triggers('t1')$$);
insert into t1 (name) values ('not captured');
select expect($$londiste.local_remove_table('qa', 't1')$$, '400|Table not found: public.t1');
select expect($$londiste.local_remove_table('qa', 'orig')$$, '200|Table removed: public.orig');
select expect($$select * from triggers('"We ird"')$$);
select expect_events('qa', 'londiste.remove-table|public.t1', 'londiste.remove-table|public.orig');

-- Set-wide registration, as replay does it
select expect($$londiste.global_remove_table('qa', 's.t2')$$, '200|Table removed: s.t2');
select expect($$select * from triggers('s.t2')$$);
select expect($$londiste.global_remove_table('qa', 's.t2')$$, '400|Table not found: s.t2');
select expect($$londiste.global_add_table('qa', 's.t2')$$, '200|Table added: s.t2');
select expect($$londiste.global_add_table('qa', 's.t2')$$, '200|Table already added: s.t2');
select expect($$londiste.get_table_list('qa') where table_name = 's.t2'$$, 's.t2|false|~|~|~|~|~|0|~');
select expect($$londiste.local_remove_table('qa', 's.t2')$$, '200|Table removed: s.t2');  -- on a root a table not used here leaves the set
select expect_events('qa', 'londiste.remove-table|s.t2');
select expect($$select londiste.root_notify_change('qa', 'some.type', 'data')$$, '1');
select expect_events('qa', 'some.type|data');

-- A node that goes takes its tables and triggers along.
select londiste.local_add_table('qa', 't1');
select expect($$select count(*) from triggers('t1')$$, '4');
select pgq_node.drop_node('qa', 'me');
select expect('londiste.table_info');
select expect($$select * from triggers('t1')$$);
insert into t1 (name) values ('free');
select expect($$select proname from pg_proc where pronamespace = 'skytools'::regnamespace and proname ~ '^capture_\d'$$);
