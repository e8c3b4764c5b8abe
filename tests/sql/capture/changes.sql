-- A table that changes while it is captured: no event may be wrong, and checks and renewal find what changed.

\ir expect.psql

create table t (a int primary key, b text, c text);
select skytools.create_capture('q', 'public.t', 'cap', 'logutriga', 'after', 'IUD', '{}');
create function stale() returns bigint language sql as 'select count(*) from skytools.check_captures(''q'')';

-- Each change is captured rightly at once, shows up in the check, and is gone after the renewal.
create function changed(i_ddl text, i_insert text, variadic i_expected text[]) returns void language plpgsql as $$
begin
  assert stale() = 0;
  execute i_insert; execute 'delete from t';  -- plans are cached
  perform forget();
  execute i_ddl;
  execute replace(i_insert, ' t ', ' ' || (select tgrelid::regclass::text from pg_trigger where tgname = 'cap_insert') || ' ');
  perform expect(variadic i_expected);
  assert stale() > 0, i_ddl;
  assert skytools.renew_captures('q') = 1 and stale() = 0 and skytools.renew_captures('q') = 0, i_ddl;
  execute 'delete from ' || (select tgrelid::regclass::text from pg_trigger where tgname = 'cap_insert');
  perform expect('D' || substr(i_expected[1], 2));
end $$;
select changed('alter table t add d int default 4', 'insert into t values (1, ''x'', ''y'')', 'I:a|a=1&b=x&c=y&d=4|public.t');
select changed('alter table t drop b', 'insert into t (a, c) values (1, ''y'')', 'I:a|a=1&c=y&d=4|public.t');
select changed('alter table t rename d to e', 'insert into t (a, c) values (1, ''y'')', 'I:a|a=1&c=y&e=4|public.t');
select changed('alter table t alter e type text using ''p q''', 'insert into t (a, c) values (1, ''y'')', 'I:a|a=1&c=y&e=4|public.t');
insert into t values (5, 'x', 'a/b'); update t set e = 'c d';
select expect('I:a|a=5&c=x&e=a%2fb|public.t', 'U:a|a=5&c=x&e=c+d|public.t');
delete from t;
select expect('D:a|a=5&c=x&e=c+d|public.t');
select changed('alter table t drop constraint t_pkey, add primary key (c, a)', 'insert into t (a, c) values (1, ''y'')', 'I:c,a|a=1&c=y&e=4|public.t');
select changed('alter table t rename a to "A b"', 'insert into t values (1, ''y'')', 'I:c,A b|A+b=1&c=y&e=4|public.t');
create schema elsewhere;
select changed('alter table t rename to u; alter table u set schema elsewhere', 'insert into t values (1, ''y'')', 'I:c,A b|A+b=1&c=y&e=4|elsewhere.u');

-- Idempotence: the same request changes nothing, not even a trigger's oid; another request replaces
create table i (a int primary key, b text);
select skytools.create_capture('q', 'public.i', 'cap_i', 'logutriga', 'after', 'IUD', '{}');
create table seen as select oid, xmin::text as version from pg_trigger where tgrelid = 'i'::regclass
  union select oid, xmin::text from pg_proc where pronamespace = 'skytools'::regnamespace and skytools.is_capture_func(oid);
select skytools.create_capture('q', 'public.i', 'cap_i', 'logutriga', 'after', 'DUI', '{}');
do $$ begin
  assert not exists (select oid, xmin::text as version from pg_trigger where tgrelid = 'i'::regclass
    union select oid, xmin::text from pg_proc where pronamespace = 'skytools'::regnamespace and skytools.is_capture_func(oid) except select * from seen);
end $$;
alter table i enable always trigger cap_i_insert;
select skytools.create_capture('q', 'public.i', 'cap_i', 'sqltriga', 'after', 'I', '{ev_extra2=b}');
do $$ begin
  assert (select array_agg(tgname::text || tgenabled::text) from pg_trigger where tgrelid = 'i'::regclass) = '{cap_iA}';
  assert (select count(*) from pg_proc where proname ~ format('^capture_\d+_%s_', 'i'::regclass::oid)) = 1;
end $$;
select expect_error($$select skytools.create_capture('q', 'public.i', 'second', 'logutriga', 'after', 'I', '{}')$$, 'table %i is already captured into queue "q" by trigger cap_i', '42710');
insert into i values (1, 'b'); update i set b = 'c';
select expect('I|(a,b) values (''1'',''b'')|public.i|b');

-- What the check reports besides: a missing and a disabled trigger, a queue that is gone; unused functions go with their tables
select skytools.create_capture('q', 'public.i', 'cap_i', 'logutriga', 'after', 'IUD', '{}');
drop trigger cap_i_update on i;
alter table i disable trigger cap_i_delete;
do $$ begin
  assert (select array_agg(problem order by problem) from skytools.check_captures()) = '{trigger cap_i_delete is disabled,trigger cap_i_update is missing}',
    (select array_agg(problem order by problem) from skytools.check_captures());
  assert skytools.renew_captures() = 1;
  assert (select array_agg(problem) from skytools.check_captures()) = '{trigger cap_i_delete is disabled}';
end $$;
drop table i;
select skytools.drop_capture('elsewhere.u', 'cap');
do $$ begin assert not exists (select from pg_proc where proname ~ '^capture_\d'); end $$;
