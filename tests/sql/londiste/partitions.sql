-- Partition helpers: tables made like their parent, and old ones found and dropped by name.
\ir ../expect.psql
set timezone = 'UTC';
create role part_reader;
create role part_granter;
create table par (id serial primary key, v text unique, ts timestamptz not null default now(), check (id > 0));
create index on par (ts);
grant select, insert on par to part_reader;
grant update on par to part_granter with grant option;
create function tf() returns trigger language plpgsql as 'begin return new; end';
create trigger " ON public.par " before insert on par for each row execute function tf('a''b');
create trigger off after update on par for each row execute function tf();
alter table par disable trigger off;
create rule rr as on delete to par where old.id = 7 do instead nothing;
alter table par enable always rule rr;

create view part_checks as
  select conrelid::regclass::text as part, pg_get_constraintdef(oid) as def from pg_constraint
   where contype = 'c' and conrelid::regclass::text like 'par_%' and not conname like 'par_id%' order by 1;
select expect($$select londiste.create_partition('par', 'par_2026_01_02', 'id', 'ts', '2026-01-02 03:04:05+00', 'day')$$, '1');
select expect($$select londiste.create_partition('par', 'par_2026_01_02', 'id', 'ts', '2026-01-02 03:04:05+00', 'day')$$, '0');
select expect($$select londiste.create_partition('public.par', 'public.par_' || n, null, 'ts', '2026-01-02 03:04:05+00', p)
                from (values ('2026', 'year'), ('2026_01', 'month'), ('2026_01_02_03', 'hour')) v (n, p)$$, '1', '1', '1');
select expect($$select londiste.create_partition('par', 'par_free1', 'id', '', null, null), londiste.create_partition('par', 'par_free2', 'id', null, null, null)$$, '1|1');
select expect('part_checks',
  'par_2026|CHECK (((ts >= ''2026-01-01 00:00:00+00''::timestamp with time zone) AND (ts < ''2027-01-01 00:00:00+00''::timestamp with time zone)))',
  'par_2026_01|CHECK (((ts >= ''2026-01-01 00:00:00+00''::timestamp with time zone) AND (ts < ''2026-02-01 00:00:00+00''::timestamp with time zone)))',
  'par_2026_01_02|CHECK (((ts >= ''2026-01-02 00:00:00+00''::timestamp with time zone) AND (ts < ''2026-01-03 00:00:00+00''::timestamp with time zone)))',
  'par_2026_01_02_03|CHECK (((ts >= ''2026-01-02 03:00:00+00''::timestamp with time zone) AND (ts < ''2026-01-02 04:00:00+00''::timestamp with time zone)))');

-- All of the parent: inheritance, keys, indexes, defaults, checks, owner, grants, triggers and rules with their state.
select expect($$select inhrelid::regclass from pg_inherits where inhparent = 'par'::regclass order by inhrelid::regclass::text$$,
              'par_2026', 'par_2026_01', 'par_2026_01_02', 'par_2026_01_02_03', 'par_free1', 'par_free2');
select expect($$select indexrelid::regclass, indisprimary, indisunique from pg_index where indrelid = 'par_2026'::regclass order by indexrelid::regclass::text$$,
              'par_2026_pkey|true|true', 'par_2026_ts_idx|false|false', 'par_2026_v_key|false|true');
select expect_error('insert into par_2026 (id) values (0)', '%violates check constraint "par_id_check"', '23514');
select expect_error('insert into par_2026 (ts) values (''2027-01-01'')', '%violates check constraint "par_2026_ts_check"', '23514');
insert into par_2026 (ts) values ('2026-05-05');
select expect('(select count(*) from par) s', '1');
select expect($$select grantee::regrole, privilege_type, is_grantable from pg_class, aclexplode(relacl)
                where oid = 'par_2026'::regclass and grantee <> relowner order by 2$$,
              'part_reader|INSERT|false', 'part_reader|SELECT|false', 'part_granter|UPDATE|true');
select expect($$select tgname, tgenabled, tgfoid::regproc, tgargs from pg_trigger where tgrelid = 'par_2026'::regclass order by 1$$,
              ' ON public.par |O|tf|\x61276200', 'off|D|tf|\x');
select expect($$select rulename, ev_enabled, pg_get_ruledef(oid) ~ ' TO (public\.)?par_2026\s' from pg_rewrite where ev_class = 'par_2026'::regclass$$, 'rr|A|true');
begin;
create role part_owner;
grant create on schema public to part_owner;
alter table par owner to part_owner;
select londiste.create_partition('par', 'par_owned', 'id', '', null, null);
select expect($$select relowner::regrole from pg_class where oid = 'par_owned'::regclass$$, 'part_owner');
rollback;

-- Rows of a partition are captured as its parent's are.
select pgq_node.register_location('qa', 'me', 'x', false), pgq_node.create_node('qa', 'root', 'me', 'w', null, null, null);
create table cap (id int primary key, v text);
select londiste.local_add_table('qa', 'cap'), londiste.create_partition('cap', 'cap_1', 'id', '', null, null);
insert into cap values (1, 'a');
insert into cap_1 values (2, 'b');
update cap set v = 'z';
delete from cap where id = 2;
select expect_events('qa', 'londiste.add-table|public.cap', 'I:id|id=1&v=a|public.cap', 'I:id|id=2&v=b|public.cap_1',
                     'U:id|id=1&v=z|public.cap', 'U:id|id=2&v=z|public.cap_1', 'D:id|id=2&v=z|public.cap_1');
select londiste.local_remove_table('qa', 'cap');
select expect($$select * from triggers('cap') union all select * from triggers('cap_1')$$);

-- PostgreSQL's own partitions: the table is added, its partitions are no tables to add; events carry the table's name.
create table rp (id int primary key, v text) partition by range (id);
create table rp_1 partition of rp for values from (0) to (100);
select expect($$londiste.local_show_missing('qa') where obj_name ~ 'rp'$$, 'r|public.rp_1');
select expect($$londiste.local_add_table('qa', 'rp')$$, '200|Table added: public.rp');
select expect($$londiste.local_show_missing('qa') where obj_name ~ 'rp'$$);
insert into rp values (1, 'a');
insert into rp_1 values (2, 'b');
delete from rp where id = 1;
select expect_events('qa', 'londiste.remove-table|public.cap', 'londiste.add-table|public.rp', 'I:id|id=1&v=a|public.rp', 'I:id|id=2&v=b|public.rp', 'D:id|id=1&v=a|public.rp');
select londiste.local_remove_table('qa', 'rp');
select expect($$select * from triggers('rp') union all select * from triggers('rp_1')$$);
-- A foreign key of such a table is restored in one step: PostgreSQL knows no NOT VALID for it before version 18.
create table pf (id int primary key, r int constraint pfk references rp) partition by range (id);
create table pf_1 partition of pf for values from (0) to (100);
select expect($$select fkey_name from londiste.find_table_fkeys('public.pf')$$, 'pfk');
select expect($$select londiste.drop_table_fkey('public.pf', 'pfk')$$, '1');
select expect($$select count(*) from londiste.find_table_fkeys('public.pf_1')$$, '0');
select londiste.restore_table_fkey('public.pf', 'pfk', true) as step \gset
:step;
select expect($$select londiste.restore_table_fkey('public.pf', 'pfk', true)$$, '');
select expect($$select fkey_name from londiste.find_table_fkeys('public.pf')$$, 'pfk');
select expect('londiste.pending_fkeys');

select expect_error($$select londiste.create_partition(null, 'x', 'id', '', null, null)$$, 'need table and part');
select expect_error($$select londiste.create_partition('par', null, 'id', '', null, null)$$, 'need table and part');
select expect_error($$select londiste.create_partition('par', 'par_x', 'id', 'ts', now(), null)$$, 'need part_time and part_period');
select expect_error($$select londiste.create_partition('none', 'none_1', 'id', '', null, null)$$, 'relation "public.none" does not exist', '42P01');
select expect_error($$select londiste.create_partition('par', 'par_x', 'id', 'ts', now(), 'monthly')$$, '%"monthly" not recognized%', '22023');

-- Obsolete by name: the suffix has to fit the period.
create table old (id int);
create table old_1999 (); create table old_1999_12 (); create table old_1999_12_30 (); create table old_1999_12_30_23 ();
create table old_2999 (); create table old_2999_12 (); create table old_2999_12_30 (); create table old_2999_12_30_23 ();
create table old_a_1999_12_30 (); create table "Old_1999_12_30" (); create table old1999_12_30 (); create table old_1999_12_3x ();
select expect($$select n, londiste.is_obsolete_partition('public.old_' || n, '1 day', p), londiste.is_obsolete_partition('old_' || n, '1 day', p || 'ly')
                from (values ('1999', 'year'), ('2999', 'year'), ('1999_12', 'month'), ('2999_12', 'month'),
                             ('1999_12_30_23', 'hour'), ('2999_12_30_23', 'hour')) v (n, p)$$,
              '1999|true|true', '2999|false|false', '1999_12|true|true', '2999_12|false|false', '1999_12_30_23|true|true', '2999_12_30_23|false|false');
select expect($$select londiste.is_obsolete_partition('old_1999_12_30', '1 day', p), londiste.is_obsolete_partition('old_2999_12_30', '1 day', p) from unnest(array['day', 'daily']) p$$,
              'true|false', 'true|false');
select expect($$select londiste.is_obsolete_partition('old_1999_12', '1 day', 'day'), londiste.is_obsolete_partition('old_1999_12_3x', '1 day', 'day'), londiste.is_obsolete_partition(null, '1 day', 'day')$$, '~|~|~');
-- Retention counts from now: yesterday's table is obsolete after an hour, not after a week.
select expect(format($$select londiste.is_obsolete_partition(%L, i, 'day') from unnest(array['1 hour', '1 week']::interval[]) i$$,
                     to_char(now() - interval '26 hours', '"old_"YYYY_MM_DD')), 'true', 'false');
select expect(format($$select londiste.is_obsolete_partition(%L, i, 'hour') from unnest(array['1 hour', '3 hours']::interval[]) i$$,
                     to_char(now() - interval '130 minutes', '"old_"YYYY_MM_DD_HH24')), 'true', 'false');
select expect($$londiste.list_obsolete_partitions('old', '1 day', 'year')$$, 'public.old_1999');
select expect($$londiste.list_obsolete_partitions('old', '1 day', 'month')$$, 'public.old_1999_12');
select expect($$londiste.list_obsolete_partitions('public.old', '1 day', 'daily')$$, 'public.old_1999_12_30');
select expect($$londiste.list_obsolete_partitions('public.old', '1 day', 'hour')$$, 'public.old_1999_12_30_23');
select expect($$londiste.list_obsolete_partitions('public.Old', '1 day', 'day')$$, 'public."Old_1999_12_30"');
select expect($$londiste.list_obsolete_partitions('none', '1 day', 'day')$$);
select expect_error($$select londiste.is_obsolete_partition('old_1999', '1 day', 'century')$$, 'not supported i_partition_period: century');
select expect_error($$select londiste.list_obsolete_partitions('old', '1 day', 'century')$$, 'not supported i_partition_period: century');
select expect($$londiste.drop_obsolete_partitions('public.old', '1 day', 'day')$$, 'public.old_1999_12_30');
select expect($$londiste.drop_obsolete_partitions('public.old', '1 day', 'day')$$);
select expect($$londiste.drop_obsolete_partitions('Old', '1 day', 'day')$$, 'public."Old_1999_12_30"');
select expect($$select to_regclass('old_1999_12_30'), to_regclass('old_a_1999_12_30') is not null, to_regclass('old_2999_12_30') is not null, to_regclass('old') is not null$$, '~|true|true|true');

drop table par cascade;
drop role part_reader, part_granter;
