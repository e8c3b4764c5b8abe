-- Who may do what: londiste_writer, who owns the tables, does all of it; londiste_reader and everybody look.
-- The exact grants are facts of the interface and tested as such; here it shows that the roles get through, whatever lies behind.
\ir ../expect.psql
grant usage, create on schema public to public;
grant select, insert, update on events_seen to public;
create role shop in role londiste_writer;
create role auditor in role londiste_reader;
create role stranger;
select expect($$select r, pg_has_role(r, 'pgq_admin', 'member'), pg_has_role(r, 'pgq_reader', 'member') from unnest(array['londiste_writer', 'londiste_reader']) r$$,
              'londiste_writer|true|true', 'londiste_reader|false|true');

set role shop;
select pgq_node.register_location(q, n, 'x', false) from unnest(array['qa', 'ql']) q, unnest(array['me', 'p']) n;
select pgq_node.create_node('qa', 'root', 'me', 'w', null, null, null), pgq_node.create_node('ql', 'leaf', 'me', 'l_w', 'p', 5, null);
create table t1 (id serial primary key, v text);
create table t2 (id int primary key constraint fk references t1);
create sequence s_demo;
select expect($$londiste.local_add_table('qa', 't1')$$, '200|Table added: public.t1');
select expect($$londiste.local_add_table('qa', 't2', '{tgflags=BI}', 'a=b')$$, '200|Table added: public.t2');
select expect($$londiste.local_change_handler('qa', 't2', '{skip,tgflags=BI}', null)$$, '200|Handler changed for table: public.t2');
select expect($$londiste.local_add_seq('qa', 's_demo')$$, '200|Sequence added: public.s_demo');
select expect($$londiste.root_check_seqs('qa')$$, '100|Sequences updated');
insert into t1 (v) values ('a');
insert into t2 values (1);
select expect_events('qa', 'londiste.add-table|public.t1', 'londiste.add-table|public.t2', 'londiste.update-seq|30001|public.s_demo',
                     'I:id|id=1&v=a|public.t1', 'I:id|id=1|public.t2');
select expect($$select londiste.create_partition('t1', 't1_2026', 'id', '', null, null)$$, '1');
select expect($$londiste.drop_obsolete_partitions('t1', '1 day', 'day')$$);
select expect($$select londiste.drop_table_fkey('public.t2', 'fk')$$, '1');
select expect($$select fkey_name from londiste.get_valid_pending_fkeys('qa')$$, 'fk');
select expect($$select fkey_name from londiste.get_table_pending_fkeys('public.t1')$$, 'fk');
select expect($$select londiste.restore_table_fkey('public.t2', 'fk')$$, '');
select expect($$londiste.execute_start('qa', 'f', 'x', true)$$, '200|Executing: f');
select expect($$londiste.execute_finish('qa', 'f')$$, '200|Execute finished: f');
select expect($$select londiste.periodic_maintenance(), londiste.root_notify_change('qa', 'a', 'b')$$, '0|1');
select expect($$select count(*) > 0 from londiste.local_show_missing('qa')$$, 'true');
select londiste.global_add_table('ql', 't1'), londiste.local_add_table('ql', 't1', '{no_merge,no_triggers}'),
       londiste.local_set_table_state('ql', 't1', null, 'in-copy'), londiste.local_set_table_struct('ql', 't1', null), londiste.local_set_table_attrs('ql', 't1', 'x=y');
select expect($$londiste.get_table_list('ql')$$, 'public.t1|true|in-copy|~|x=y|~|~|0|~');
select expect($$londiste.global_update_seq('ql', 's_demo', 7)$$, '200|Sequence updated');
select expect($$londiste.local_add_seq('ql', 's_demo')$$, '200|Sequence added: public.s_demo');
select expect($$londiste.local_remove_seq('ql', 's_demo')$$, '200|Sequence removed: public.s_demo');
select expect($$londiste.global_remove_table('ql', 't1')$$, '200|Table removed: public.t1');
-- The worker's role for replaying, which a plain role may not set by itself.
select expect_error($$set session_replication_role = replica$$, 'permission denied to set parameter "session_replication_role"', '42501');
begin;
select londiste.set_session_replication_role('replica', true);
do $$ begin assert current_setting('session_replication_role') = 'replica', 'role not set'; end $$;
commit;

set role auditor;
select expect($$select table_name from londiste.get_table_list('qa')$$, 'public.t1', 'public.t2');
select expect($$select seq_name from londiste.get_seq_list('qa')$$, 'public.s_demo');
select expect($$londiste._coordinate_copy('qa', 'public.t1')$$, '~|0');
select expect_error($$select londiste.local_add_table('qa', 't1')$$, 'permission denied for function local_add_table', '42501');
select expect_error($$select londiste.set_session_replication_role('replica', true)$$, 'permission denied for function set_session_replication_role', '42501');
select expect_error($$delete from londiste.table_info$$, 'permission denied for table table_info', '42501');

set role stranger;
select expect($$select queue_name, table_name from londiste.table_info order by 2$$, 'qa|public.t1', 'qa|public.t2');
select expect($$select count(*) from londiste.seq_info, londiste.applied_execute$$, '2');
select expect($$select count(*) from londiste.pending_fkeys$$, '0');
select expect($$select londiste.quote_fqname('a'), londiste.make_fqname('a'), londiste.find_table_oid('t1')::regclass, londiste.find_column_types('t1')$$, 'public.a|public.a|t1|kv');
select expect($$select fkey_name from londiste.find_table_fkeys('public.t2')$$, 'fk');
select expect_error($$select londiste.get_table_list('qa')$$, 'permission denied for function get_table_list', '42501');
select expect_error($$select londiste.create_partition('t1', 't1_x', '', '', null, null)$$, 'permission denied for function create_partition', '42501');

-- The ticker's maintenance runs as queue admin, who has to see the sequences.
set role shop;
grant select on s_demo to pgq_admin;
set role pgq_admin;
select expect($$londiste.root_check_seqs('qa')$$, '100|Sequences updated');
select expect($$select londiste.periodic_maintenance()$$, '0');
select expect_error($$select londiste.local_remove_table('qa', 't1')$$, 'permission denied for function local_remove_table', '42501');

set role shop;
select expect($$londiste.local_remove_table('qa', 't1')$$, '200|Table removed: public.t1');
select expect($$londiste.local_remove_seq('qa', 's_demo')$$, '200|Sequence removed: public.s_demo');
select pgq_node.drop_node('qa', 'me'), pgq_node.drop_node('ql', 'me');
drop table t1, t2 cascade;
drop sequence s_demo;
reset role;
revoke all on events_seen from public;
drop role shop, auditor, stranger;
