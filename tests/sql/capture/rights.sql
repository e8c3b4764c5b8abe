-- Who may write a captured table, who may set capture up, and that neither search_path nor output settings of a writer matter.

\ir expect.psql

create role capture_writer; create role capture_producer in role pgq_writer; create role capture_admin in role pgq_admin;
create table plain (id int primary key, v text);
create table expr (id int primary key, v text);
grant all on plain, expr to capture_writer, capture_producer;
select skytools.create_capture('q', 'public.plain', 'cap', 'logutriga', 'after', 'IUD', '{ev_extra3=''x''}'),
       skytools.create_truncate_capture('q', 'public.plain', 'cap_t', '{}'),
       skytools.create_capture('q', 'public.expr', 'cap', 'logutriga', 'after', 'IUD', '{ev_extra3=who()}');
create schema mine;
create function mine.who() returns text language sql as 'select current_user::text';
grant usage on schema mine to public;

-- Without expressions capture works for every writer; with them it runs as the writer, who needs pgq_writer
set search_path = mine, public;
set role capture_writer;
insert into plain values (1, 'a/b'); update plain set v = 'c'; delete from plain; truncate plain;
select public.expect_error('insert into expr values (1)', 'permission denied for function insert_event', '42501');
set role capture_producer;
insert into expr values (1, 'a/b');
reset role; reset search_path;
select expect('I:id|id=1&v=a%2fb|public.plain|~|x', 'U:id|id=1&v=c|public.plain|~|x', 'D:id|id=1&v=c|public.plain|~|x', 'R||public.plain',
              'I:id|id=1&v=a%2fb|public.expr|~|capture_producer');

-- A writer's own operators and functions do not get into a function that runs as the owner
create schema evil;
create function evil.trap(text, text) returns text language plpgsql as 'begin raise exception ''trapped''; end';
create operator evil.|| (leftarg = text, rightarg = text, function = evil.trap);
create function evil.concat(variadic text[]) returns text language plpgsql as 'begin raise exception ''trapped''; end';
grant usage on schema evil to public;
set search_path = evil, pg_catalog, public;
insert into plain values (1, 'a/b');
reset search_path;
select expect('I:id|id=1&v=a%2fb|public.plain|~|x');

-- pgq_admin with rights on the table can set capture up; others can not
create schema owned authorization capture_admin;
set role capture_admin;
create table owned.t (id int primary key);
select skytools.create_capture('q', 'owned.t', 'cap', 'logutriga', 'after', 'I', '{}');
insert into owned.t values (1);
do $$ begin assert not exists (select from skytools.check_captures() where "table" = 'owned.t'); end $$;
select skytools.drop_capture('owned.t', 'cap');
reset role;
select expect('I:id|id=1|owned.t');
set role capture_producer;
select public.expect_error($$select skytools.create_capture('q', 'public.plain', 'c', 'logutriga', 'after', 'I', '{}')$$, 'permission denied%', '42501');
reset role;

-- Output settings of the writer
create table o (id int primary key, d date, t timestamptz, i interval, b bytea, f float8, ta timestamp[], cash money, p point);
select skytools.create_capture('q', 'public.o', 'cap', 'logutriga', 'after', 'IU', '{}');
create function write(i_id int) returns void language sql as
  $$insert into o values (i_id, '2026-03-04', '2026-03-04 05:06:07+00', '1 day 02:03', '\x005c', 0.1::float8 + 0.2, '{2026-03-04}', '1.5', '(0.1,0.30000000000000004)')$$;
create table o_hand (like o including all);
create trigger by_hand after insert on o_hand for each row execute function pgq.logutriga('q');
set timezone = 'Asia/Kolkata';
select write(1);
set datestyle = 'SQL, DMY'; set intervalstyle = iso_8601; set bytea_output = escape; set extra_float_digits = -5;
do $$ begin perform write(2); insert into o_hand select * from o where id = 2; end $$;
do $$ begin
  assert (select count(distinct substr(ev_data, 5)) from pgq.event_1) = 1;
  assert (select ev_data from pgq.event_1 limit 1) = 'id=1&d=2026-03-04&t=2026-03-04+10%3a36%3a07%2b05%3a30&i=1+day+02%3a03%3a00&b=%5cx005c&f=0.30000000000000004&ta=%7b%222026-03-04+00%3a00%3a00%22%7d&cash=%241.50&p=%280.1%2c0.30000000000000004%29',
    (select ev_data from pgq.event_1 limit 1);
  assert current_setting('datestyle') = 'SQL, DMY';
end $$;
drop owned by capture_writer, capture_producer, capture_admin;
drop role capture_writer, capture_producer, capture_admin;
