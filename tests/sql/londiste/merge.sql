-- Leaves merged into a combined queue: which tables follow which, and how copies of the parts wait for each other.
\ir ../expect.psql
create table m1 (id int primary key, v text);
create table m2 (id int primary key, v text);
create table m3 (id int primary key, v text);
select pgq_node.register_location(q, n, 'x', false) from unnest(array['qc', 'qpa', 'qpb']) q, unnest(array['me', 'p']) n;
select pgq_node.create_node('qc', 'root', 'me', 'wc', null, null, null);
select pgq_node.create_node(q, 'leaf', 'me', 'w' || q, 'p', 1, 'qc') from unnest(array['qpa', 'qpb']) q;

-- A table of a part is known in the combined queue, too.
select londiste.global_add_table('qpa', t) from unnest(array['public.m1', 'public.m2', 'public.m3']) t;
select londiste.global_add_table('qpb', t) from unnest(array['public.m1', 'public.m2']) t;
create view t as select queue_name, table_name, merge_state, table_attrs, dest_table from londiste.table_info where local order by 1, 2;
select expect($$(select queue_name, table_name from londiste.table_info order by 1, 2) s$$,
              'qc|public.m1', 'qc|public.m2', 'qc|public.m3', 'qpa|public.m1', 'qpa|public.m2', 'qpa|public.m3', 'qpb|public.m1', 'qpb|public.m2');
select expect('t');

-- Several sources need a decision.
begin;
select expect($$londiste.local_add_table('qpa', 'm1', null, 'a=b')$$, '405|Found multiple sources for table public.m1, use merge-all or no-merge to continue');
rollback;
-- One source: the combined root takes part at once.
begin;
select expect($$londiste.local_add_table('qpa', 'm3', null, 'a=b')$$, '200|Table added: public.m3');
select expect('t', 'qc|public.m3|ok|a=b|~', 'qpa|public.m3|~|a=b|~');
rollback;
-- merge_all: all parts copy, the combined root is in sync and captures, the part denies.
begin;
select expect($$londiste.local_add_table('qpa', 'm1', '{merge_all,skip_truncate}')$$, '200|Table added: public.m1');
select expect('t', 'qc|public.m1|ok|skip_truncate=1|~', 'qpa|public.m1|~|skip_truncate=1|~', 'qpb|public.m1|~|skip_truncate=1|~');
select expect($$select * from triggers('m1')$$,
              '_londiste_qc_delete: AFTER DELETE STATEMENT capture_d(''qc'')', '_londiste_qc_insert: AFTER INSERT STATEMENT capture_i(''qc'')',
              '_londiste_qc_truncate: AFTER TRUNCATE STATEMENT capture_t(''qc'')', '_londiste_qc_update: AFTER UPDATE STATEMENT capture_u(''qc'')',
              '_londiste_qpa: AFTER INSERT OR DELETE OR UPDATE ROW capture_deny(''qpa'', ''deny'')',
              '_londiste_qpa_truncate: AFTER TRUNCATE STATEMENT capture_deny(''qpa'', ''deny'')');
select expect($$londiste.local_add_table('qpb', 'm1', '{merge_all,skip_truncate}')$$, '200|Table already added: public.m1');
select expect_events('qc', 'londiste.add-table|public.m1');
-- The parts' workers write as replica does: captured for the combined queue, not refused.
select expect_error($$insert into m1 values (1, 'local')$$, 'Table ''public.m1'' to queue ''qpa'': change not allowed (INSERT)', 'XX000');
select expect($$londiste.local_remove_table('qpa', 'm1')$$, '200|Table removed: public.m1');
select expect('t', 'qc|public.m1|ok|skip_truncate=1|~', 'qpb|public.m1|~|skip_truncate=1|~');
select expect($$londiste.global_remove_table('qpb', 'm1')$$, '200|Table removed: public.m1');
select expect('t', 'qc|public.m1|ok|skip_truncate=1|~');
insert into m1 values (1, 'local');
select expect_events('qc', 'I:id|id=1&v=local|public.m1');
rollback;
-- no_merge: only this part; another one is refused then.
begin;
select expect($$londiste.local_add_table('qpa', 'm1', '{no_merge}', 'a=b')$$, '200|Table added: public.m1');
select expect('t', 'qpa|public.m1|~|a=b|~');
select expect($$londiste.local_add_table('qpb', 'm1', null, 'a=b')$$,
              '405|Found local table public.m1 in queue qpa, use remove-table first to remove all previous table subscriptions');
rollback;
-- In sync already: nothing to decide, all parts are.
begin;
select expect($$londiste.local_add_table('qpa', 'm1', '{expect_sync}', 'a=b')$$, '200|Table added: public.m1');
select expect('t', 'qc|public.m1|ok|a=b|~', 'qpa|public.m1|ok|a=b|~', 'qpb|public.m1|ok|a=b|~');
rollback;
-- Another part that is used already keeps its own state.
begin;
select londiste.local_add_table('qpa', 'm1', '{no_merge}', 'own=1'), londiste.local_set_table_state('qpa', 'm1', null, 'in-copy');
select expect($$londiste.local_add_table('qpb', 'm1', '{expect_sync}', 'a=b')$$, '200|Table added: public.m1');
select expect('t', 'qc|public.m1|ok|a=b|~', 'qpa|public.m1|in-copy|own=1|~', 'qpb|public.m1|ok|a=b|~');
rollback;
-- What counts is the local table; trigger arguments go to the combined queue.
begin;
select expect($$londiste.local_add_table('qpa', 'm3', '{merge_all,tgflags=BSQ}', 'a=b', 'm2')$$, '200|Table added: public.m3(public.m2)');
select expect('t', 'qc|public.m3|ok|a=b|public.m2', 'qpa|public.m3|~|a=b|public.m2', 'qpb|public.m2|~|a=b|~');
select expect($$select * from triggers('m2')$$,
              '_londiste_qc_truncate: AFTER TRUNCATE STATEMENT capture_t(''qc'')',
              '_londiste_qpa: BEFORE INSERT OR DELETE OR UPDATE ROW capture_deny(''qpa'', ''ev_extra1=''''public.m3'''''', ''deny'')',
              '_londiste_qpa_truncate: AFTER TRUNCATE STATEMENT capture_deny(''qpa'', ''deny'')',
              'zzz__londiste_qc: BEFORE INSERT OR DELETE OR UPDATE ROW capture_r(''qc'', ''ev_extra1=''''public.m3'''''', ''SKIP'')');
rollback;

-- A combined branch copies from its provider; the parts are in sync at once, needing no decision.
begin;
select pgq_node.demote_root('qc', step, 'p') from generate_series(1, 3) step;
select expect($$londiste.local_add_table('qpa', 'm1', null, 'a=b')$$, '200|Table added: public.m1');
select expect($$londiste.local_add_table('qpb', 'm1', null, 'a=b')$$, '200|Table already added: public.m1');
select expect('t', 'qc|public.m1|~|a=b|~', 'qpa|public.m1|ok|a=b|~', 'qpb|public.m1|ok|a=b|~');
rollback;

-- Foreign keys of merged tables: the first part restores them when the combined queue is a root, else the combined queue.
begin;
alter table m2 add constraint fk foreign key (id) references m1;
select londiste.local_add_table('qpa', t, '{expect_sync}') from unnest(array['m1', 'm2']) t;
select londiste.drop_table_fkey('public.m2', 'fk');
create view fkeys as select q, fkey_name from unnest(array['qc', 'qpa', 'qpb']) q, londiste.get_valid_pending_fkeys(q);
select expect('fkeys', 'qpa|fk');
select londiste.local_set_table_state('qpb', 'm1', null, 'in-copy');
select expect('fkeys');
select londiste.local_set_table_state('qpb', 'm1', null, 'ok');
select pgq_node.demote_root('qc', step, 'p') from generate_series(1, 3) step;
select expect('fkeys', 'qc|fk');
rollback;

-- Copies of the same table: roles and positions while both parts go through their states.
create function states(variadic i_expected text[]) returns void language plpgsql as $$
begin
  perform expect($q$select q, merge_state, copy_role, copy_pos from unnest(array['qpa', 'qpb']) q, londiste.get_table_list(q) where table_name = 'public.m1'$q$,
                 variadic i_expected);
end $$;
create function set_state(i_queue text, i_state text) returns void language sql as 'select londiste.local_set_table_state(i_queue, ''public.m1'', null, i_state)';
create function set_ddl(i_queue text, i_ddl text) returns void language sql as 'select londiste.local_set_table_struct(i_queue, ''public.m1'', i_ddl)';
select londiste.local_add_table('qpa', 'm1', '{merge_all}');
select states('qpa|~|~|0', 'qpb|~|~|0');
select set_state('qpa', 'in-copy');
select states('qpa|in-copy|lead|0', 'qpb|~|~|0');
select set_state('qpb', 'in-copy');
select states('qpa|in-copy|lead|0', 'qpb|in-copy|wait-copy|1');
select set_ddl('qpa', 'create index');  -- the lead has dropped the indexes: all may copy
select states('qpa|in-copy|lead|0', 'qpb|in-copy|wait-replay|1');
select set_state('qpa', 'catching-up');  -- the lead holds until the other has copied
select states('qpa|catching-up|wait-replay|0', 'qpb|in-copy|wait-replay|0');
select set_state('qpb', 'catching-up');  -- then it restores the indexes, and the other waits for that
select states('qpa|catching-up|~|0', 'qpb|catching-up|wait-replay|0');
select set_ddl('qpa', null);
select states('qpa|catching-up|~|0', 'qpb|catching-up|~|0');
select set_state('qpa', 'wanna-sync:5');
select states('qpa|wanna-sync:5|~|0', 'qpb|catching-up|~|0');
-- A copy that starts when others have finished theirs leaves the indexes alone, leader or not.
select set_state('qpb', 'in-copy');
select states('qpa|wanna-sync:5|~|0', 'qpb|in-copy|wait-replay|0');
select set_state('qpa', 'in-copy'), set_state('qpb', 'catching-up');
select states('qpa|in-copy|wait-replay|0', 'qpb|catching-up|~|0');
-- Who holds the DDL leads.
select set_state('qpb', 'in-copy'), set_ddl('qpb', 'create index');
select states('qpa|in-copy|wait-replay|0', 'qpb|in-copy|lead|0');
select set_state('qpa', 'catching-up');
select states('qpa|catching-up|wait-replay|0', 'qpb|in-copy|lead|0');
select set_ddl('qpb', null), set_state('qpb', 'ok');
-- A part that is in sync no longer counts, nor does one that is not used here: a copy alone has no role.
select set_state('qpa', 'in-copy');
select states('qpa|in-copy|~|0', 'qpb|ok|~|0');
select set_state('qpb', 'in-copy');
update londiste.table_info set local = false where queue_name = 'qpa' and table_name = 'public.m1';
select expect($$londiste._coordinate_copy('qpb', 'public.m1')$$, '~|0');
select expect($$londiste._coordinate_copy('qpb', 'public.none')$$, '~|~');
update londiste.table_info set local = true where queue_name = 'qpa' and table_name = 'public.m1';
-- The group is the local table, whatever its name in the set.
select londiste.local_add_table('qpa', 'm3', '{no_merge}', null, 'm2');
insert into londiste.table_info (queue_name, table_name, local, merge_state) values ('qpb', 'public.m2', true, 'in-copy')
  on conflict on constraint table_info_pkey do update set local = true, merge_state = 'in-copy';
select londiste.local_set_table_state('qpa', 'm3', null, 'in-copy');
select expect($$londiste._coordinate_copy('qpa', 'public.m3')$$, 'lead|0');
select expect($$londiste._coordinate_copy('qpb', 'public.m2')$$, 'wait-copy|1');
-- The primary key that a copy has taken away for the time being may be missing for the other parts.
select londiste.local_remove_table(q, t) from (values ('qpa', 'm3'), ('qpb', 'm2')) v (q, t);
select londiste.local_add_table('qpa', 'm2', '{no_merge}');
select londiste.local_set_table_state('qpa', 'm2', null, 'in-copy'), londiste.local_set_table_struct('qpa', 'm2', 'alter table m2 add primary key (id)');
alter table m2 drop constraint m2_pkey;
begin;
select expect($$londiste.local_add_table('qpb', 'm2', '{no_merge}')$$, '200|Table added: public.m2');
rollback;
select londiste.local_set_table_struct('qpa', 'm2', null);
select expect($$londiste.local_add_table('qpb', 'm2', '{no_merge}')$$, '400|Primary key missing on table: public.m2');
