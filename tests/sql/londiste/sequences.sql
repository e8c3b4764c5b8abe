-- Sequences: added and removed on root and leaf; the root publishes values far enough ahead of its own.
\ir ../expect.psql
create sequence s_demo;
create table t1 (id serial primary key, v text);
select pgq_node.register_location(q, n, 'x', false) from unnest(array['qa', 'ql', 'qb']) q, unnest(array['me', 'p']) n;

-- No set
select expect_error($$select londiste.local_add_seq('none', 's_demo')$$, 'queue does not exist: none');
select expect_error($$select londiste.local_remove_seq('none', 's_demo')$$, 'queue does not exist: none');
select expect($$londiste.global_update_seq('none', 's_demo', 1)$$, '404|Set not found: none');
select expect($$londiste.global_remove_seq('none', 's_demo')$$, '400|Sequence not found: public.s_demo');
select expect($$londiste.root_check_seqs('none')$$, '404|Queue not found: none');
select expect($$londiste.get_seq_list('none')$$);

-- Root: a new sequence is published at once, three buffers of 10000 ahead.
select pgq_node.create_node('qa', 'root', 'me', 'root_w', null, null, null);
select expect($$londiste.local_add_seq('qa', 'none')$$, '400|Sequence not found: public.none');
select expect($$londiste.local_add_seq('qa', 't1')$$, '400|Sequence not found: public.t1');
select expect($$londiste.local_add_seq('qa', 's_demo')$$, '200|Sequence added: public.s_demo');
select expect($$londiste.local_add_seq('qa', 'public.s_demo')$$, '201|Sequence already added: public.s_demo');
insert into t1 (v) values ('a'), ('b');
select expect($$londiste.local_add_seq('qa', 'public.t1_id_seq')$$, '200|Sequence added: public.t1_id_seq');
select expect($$londiste.get_seq_list('qa')$$, 'public.s_demo|30001|true', 'public.t1_id_seq|30002|true');
select expect_events('qa', 'londiste.update-seq|30001|public.s_demo', 'londiste.update-seq|30002|public.t1_id_seq');

-- Published again when the value comes within the buffer, 10000 unless given, at least 10.
select expect($$londiste.root_check_seqs('qa')$$, '100|Sequences updated');
select setval('s_demo', 20000);
select expect($$londiste.root_check_seqs('qa')$$, '100|Sequences updated');
select expect_events('qa');
select setval('s_demo', 20001);
select expect($$londiste.root_check_seqs('qa')$$, '100|Sequences updated');
select expect_events('qa', 'londiste.update-seq|50001|public.s_demo');
select setval('s_demo', 25000);
select londiste.root_check_seqs('qa');
select expect_events('qa');
select expect($$londiste.root_check_seqs('qa', 50000)$$, '100|Sequences updated');
select expect_events('qa', 'londiste.update-seq|175000|public.s_demo', 'londiste.update-seq|150002|public.t1_id_seq');
update londiste.seq_info set last_value = 25010 where seq_name = 'public.s_demo';
select londiste.root_check_seqs('qa', 9);   -- counts as 10000
select expect_events('qa', 'londiste.update-seq|55000|public.s_demo');
update londiste.seq_info set last_value = 25011 where seq_name = 'public.s_demo';
select londiste.root_check_seqs('qa', 10);
select expect_events('qa');
update londiste.seq_info set last_value = 25010 where seq_name = 'public.s_demo';
select londiste.root_check_seqs('qa', 10);
select expect_events('qa', 'londiste.update-seq|25030|public.s_demo');
-- A queue closed by demote_root waits for the next round.
select pgq_node.demote_root('qa', 1, null);
select expect($$londiste.root_check_seqs('qa')$$, '100|Queue is closed for writing, sequences not checked');
select expect($$select last_value from londiste.get_seq_list('qa')$$, '25030', '150002');
select pgq_node.demote_root('qa', 0, null);

select expect($$londiste.global_update_seq('qa', 's_demo', 1)$$, '402|Must not run on root node');
select expect($$londiste.local_remove_seq('qa', 's_demo')$$, '200|Sequence removed: public.s_demo');
select expect($$londiste.local_remove_seq('qa', 's_demo')$$, '400|Sequence not found: public.s_demo');
select expect_events('qa', 'londiste.remove-seq|public.s_demo');
select expect($$londiste.global_remove_seq('qa', 'public.t1_id_seq')$$, '200|Sequence removed: public.t1_id_seq');
select expect_events('qa', 'londiste.remove-seq|public.t1_id_seq');
select expect($$londiste.get_seq_list('qa')$$);

-- A sequence of a removed table goes too.
select londiste.local_add_table('qa', 't1'), londiste.local_add_seq('qa', 't1_id_seq');
select expect_events('qa', 'londiste.add-table|public.t1', 'londiste.update-seq|30002|public.t1_id_seq');
select londiste.local_remove_table('qa', 't1');
select expect_events('qa', 'londiste.remove-seq|public.t1_id_seq', 'londiste.remove-table|public.t1');
select expect('londiste.seq_info');

-- Leaf: known after the first published value, moved forward only, and only while used.
select pgq_node.create_node('ql', 'leaf', 'me', 'l_w', 'p', 5, null);
select expect($$londiste.root_check_seqs('ql')$$, '402|Not a root node');
select expect($$londiste.local_add_seq('ql', 's_demo')$$, '404|Unknown sequence: public.s_demo');
select expect($$londiste.global_update_seq('ql', 's_demo', 30001)$$, '200|Sequence updated');
select expect('(select last_value from s_demo) s', '25000');
select expect($$londiste.get_seq_list('ql')$$, 'public.s_demo|30001|false');
select expect($$londiste.local_show_missing('ql')$$, 'S|public.s_demo');
select expect($$londiste.local_add_seq('ql', 's_demo')$$, '200|Sequence added: public.s_demo');
select expect($$londiste.local_add_seq('ql', 's_demo')$$, '201|Sequence already added: public.s_demo');
select expect($$londiste.local_show_missing('ql')$$);
select expect('(select last_value from s_demo) s', '30001');
select londiste.global_update_seq('ql', 's_demo', 60001);
select expect('(select last_value from s_demo) s', '60001');
select londiste.global_update_seq('ql', 's_demo', 100);
select expect('(select last_value from s_demo) s', '60001');
select expect($$londiste.get_seq_list('ql')$$, 'public.s_demo|100|true');
select expect($$londiste.global_update_seq('ql', 'other.seq', 5)$$, '200|Sequence updated');  -- need not exist here
select expect($$londiste.local_add_seq('ql', 'other.seq')$$, '400|Sequence not found: other.seq');
select expect($$londiste.get_seq_list('ql')$$, 'public.s_demo|100|true', 'other.seq|5|false');
select expect($$londiste.local_remove_seq('ql', 's_demo')$$, '200|Sequence removed: public.s_demo');
select expect($$londiste.local_remove_seq('ql', 's_demo')$$, '404|Sequence not found: public.s_demo');
select expect($$londiste.get_seq_list('ql')$$, 'public.s_demo|100|false', 'other.seq|5|false');
select expect($$londiste.global_remove_seq('ql', 'public.s_demo')$$, '200|Sequence removed: public.s_demo');
select expect($$londiste.global_remove_seq('ql', 'public.s_demo')$$, '400|Sequence not found: public.s_demo');

-- A branch that becomes root publishes from where the old root's values end, so no value is given twice.
create sequence taken;
select pgq_node.create_node('qb', 'branch', 'me', 'b_w', 'p', 5, null), londiste.global_update_seq('qb', 'taken', 55000);
select londiste.local_add_seq('qb', 'taken');
select expect('(select last_value, is_called from taken) s', '55000|true');
select pgq_node.promote_branch('qb');
select expect($$londiste.root_check_seqs('qb')$$, '100|Sequences updated');
select expect_events('qb', 'londiste.update-seq|85000|public.taken');
