-- Foreign keys put away for a copy and restored, at once or in steps that lock little, and who restores them.
\ir ../expect.psql
create table t1 (id int primary key);
create schema s;
create table s."Ref" (id int primary key, t1_id int constraint "ref fk" references t1 on delete cascade deferrable initially deferred);
\set def 'alter table only s."Ref" add constraint "ref fk" FOREIGN KEY (t1_id) REFERENCES public.t1(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED'
\set row 's.Ref|public.t1|ref fk|' :def

select expect($$londiste.find_table_fkeys('t1')$$, :'row');
select expect($$londiste.find_table_fkeys('s.Ref')$$, :'row');
select expect($$londiste.find_table_fkeys('none')$$);
-- The saved statement does not depend on the path of the session that saved it.
begin;
set local search_path = s, public;
select public.expect($$londiste.find_table_fkeys('public.t1')$$, :'row');
commit;

select expect($$select londiste.drop_table_fkey('s.Ref', 'none'), londiste.drop_table_fkey('none', 'ref fk')$$, '0|0');
select expect($$select londiste.drop_table_fkey('s.Ref', 'ref fk')$$, '1');
select expect($$select londiste.drop_table_fkey('s.Ref', 'ref fk')$$, '0');
select expect('londiste.pending_fkeys', :'row');
select expect($$londiste.get_table_pending_fkeys('public.t1')$$, :'row');
select expect($$londiste.get_table_pending_fkeys('s.Ref')$$, :'row');
select expect($$londiste.get_table_pending_fkeys('public.none')$$);
select expect($$londiste.find_table_fkeys('t1')$$);

-- At once
create view fkey as select convalidated from pg_constraint where conname = 'ref fk';
select expect($$select londiste.restore_table_fkey('s.Ref', 'none')$$, '');
select expect($$select londiste.restore_table_fkey('s.Ref', 'ref fk')$$, '');
select expect('fkey', 'true');
select expect('londiste.pending_fkeys');
select expect($$select londiste.restore_table_fkey('s.Ref', 'ref fk')$$, '');

-- Lazy: the caller runs what it gets, until there is nothing more.
select londiste.drop_table_fkey('s.Ref', 'ref fk');
insert into s."Ref" values (1, 99);
select expect($$select londiste.restore_table_fkey('s.Ref', 'ref fk', true)$$, :'def' || ' not valid');
select londiste.restore_table_fkey('s.Ref', 'ref fk', true) as step \gset
:step;
select expect('fkey', 'false');
select expect($$select londiste.restore_table_fkey('s.Ref', 'ref fk', true)$$, 'alter table only s."Ref" validate constraint "ref fk"');
select londiste.restore_table_fkey('s.Ref', 'ref fk', true) as step \gset
select expect_error(:'step', '%violates foreign key constraint "ref fk"', '23503');
select expect('londiste.pending_fkeys', :'row');
delete from s."Ref";
:step;
select expect('fkey', 'true');
select expect($$select londiste.restore_table_fkey('s.Ref', 'ref fk', true)$$, '');
select expect('londiste.pending_fkeys');

-- A key is ready when both tables are used here, in sync, and no copy snapshot is left; its queue's worker restores it.
select pgq_node.register_location(q, n, 'x', false) from unnest(array['ql', 'qm']) q, unnest(array['me', 'p']) n;
select pgq_node.create_node(q, 'leaf', 'me', 'w', 'p', 1, null) from unnest(array['ql', 'qm']) q;
select londiste.global_add_table('ql', t) from unnest(array['public.t1', 'public.orig']) t;
select londiste.drop_table_fkey('s.Ref', 'ref fk');
select expect($$londiste.get_valid_pending_fkeys('ql')$$);
select expect($$londiste.local_add_table('ql', 't1', '{expect_sync}')$$, '200|Table added: public.t1');
select expect($$londiste.get_valid_pending_fkeys('ql')$$);
select expect($$londiste.local_add_table('ql', 'orig', null, null, 's.Ref')$$, '200|Table added: public.orig(s.Ref)');
select expect($$londiste.get_valid_pending_fkeys('ql')$$);
select londiste.local_set_table_state('ql', 'public.orig', '1:1:', 'ok');
select expect($$londiste.get_valid_pending_fkeys('ql')$$);
select londiste.local_set_table_state('ql', 'public.orig', null, 'ok');
select expect($$londiste.get_valid_pending_fkeys('ql')$$, :'row');
select expect($$londiste.get_valid_pending_fkeys('qm')$$);
-- A table that another queue fills, too, must be in sync there as well; the smallest queue name restores.
insert into londiste.table_info (queue_name, table_name, local, merge_state) values ('qm', 'public.t1', true, 'in-copy');
select expect($$londiste.get_valid_pending_fkeys('ql')$$);
select londiste.local_set_table_state('qm', 'public.t1', null, 'ok');
select expect($$londiste.get_valid_pending_fkeys('qm')$$);
select expect($$londiste.get_valid_pending_fkeys('ql')$$, :'row');
