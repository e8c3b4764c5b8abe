-- Names and catalog look-ups.
\ir ../expect.psql
create schema s;
create table t1 (id serial primary key, name text);
create table "We ird" (id int primary key);
create table s.t2 (id bigserial, k text, v text, primary key (k, id));
create table s.nokey (a int);
create view v1 as select 1 as id;
create table pt (id int primary key) partition by range (id);

select expect($$select londiste.quote_fqname(n) from unnest(array['a', 'a.b', 'a.b.c', 'A.b c', '', null]) n$$,
              'public.a', 'a.b', 'a."b.c"', '"A"."b c"', 'public.""', '~');
select expect($$select londiste.make_fqname(n) from unnest(array['a', 'A', 'a.b', 'a.b.c', '', null]) n$$,
              'public.a', 'public.A', 'a.b', 'a.b.c', 'public.', '~');
select expect($$select s.* from unnest(array['a', 'a.b', 'a.b.c', '.x', 'x.', null]) n, londiste.split_fqname(n) s$$,
              'public|a', 'a|b', 'a|b.c', '|x', 'x|', '~|~');

select expect($$select londiste.find_table_oid(n)::regclass from unnest(array['t1', 'public.t1', 's.t2', 'public.We ird', 'pt', 'v1', 't1_id_seq', 't2', 'x.y', null]) n$$,
              't1', 't1', 's.t2', '"We ird"', 'pt', '~', '~', '~', '~', '~');
select expect($$select londiste.find_seq_oid(n)::regclass from unnest(array['t1_id_seq', 's.t2_id_seq', 't1', 'none']) n$$, 't1_id_seq', 's.t2_id_seq', '~', '~');
select expect($$select londiste.find_rel_oid('v1', 'v')::regclass, londiste.find_rel_oid('v1', 'r'), londiste.find_rel_oid('pt', 'p')::regclass, londiste.find_rel_oid('pg_class', 'r')$$,
              'v1|~|pt|~');
alter table s.t2 drop column v, add column z int;
select expect($$select londiste.find_column_types(n) from unnest(array['t1', 's.t2', 's.nokey', 'none']) n$$, 'kv', 'kkv', 'v', '');

select expect($$select f, londiste.is_replica_func(f) from unnest(array['pgq.logutriga', 'pgq.sqltriga', 'pgq.jsontriga', 'now']::regproc[]) f$$,
              'pgq.logutriga|true', 'pgq.sqltriga|true', 'pgq.jsontriga|true', 'now|false');
select expect($$select londiste.is_replica_func(0), londiste.is_replica_func(null)$$, 'false|~');

-- Session role, within the transaction or beyond it
begin;
select londiste.set_session_replication_role('replica', true);
do $$ begin assert current_setting('session_replication_role') = 'replica', 'not set'; end $$;
commit;
do $$ begin assert current_setting('session_replication_role') = 'origin', 'set beyond the transaction'; end $$;
begin;
select londiste.set_session_replication_role('local', false);
commit;
do $$ begin assert current_setting('session_replication_role') = 'local', 'lost with the transaction'; end $$;
select londiste.set_session_replication_role('origin', false);
do $$ begin assert current_setting('session_replication_role') = 'origin', 'not set back'; end $$;
select expect_error($$select londiste.set_session_replication_role('other', true)$$, 'bad value for session_replication_role');
select expect_error($$select londiste.set_session_replication_role(null, true)$$, 'bad value for session_replication_role');

select expect($$select londiste.upgrade_schema(), londiste.version() like '3.8%'$$, '0|true');
