-- Tables that change, and all that is not an ordinary table; replication roles; queues that refuse.

select pgq.create_queue('q');
set client_min_messages = warning;

-- Columns come, go and change their names and types under the trigger.
create table t (a int primary key, b text, gone int, c numeric);
select put_trigger('t', 'sqltriga');
insert into t values (1, 'b', 2, 3); update t set b = 'x'; select * from events();
alter table t add d int default 5;
update t set b = 'y'; select * from events();
alter table t drop column gone;
update t set b = 'z'; insert into t values (2, 'b', 3); select * from events();
alter table t rename column b to bb; alter table t alter column c type text using c::text;
update t set bb = 'r', c = '1.0' where a = 1; select * from events();
alter table t rename to u; create schema s; alter table u set schema s; alter table s.u rename to "we ird.x";
update s."we ird.x" set d = 6 where a = 1; select * from events();
alter table s."we ird.x" rename to t; alter table s.t set schema public;

-- The key.
alter table t rename column a to aa;
select put_trigger('t', 'logutriga');
--! the key is read from the table's columns: an index keeps a column's old name
--= UPDATE 1
--= U:aa|aa=1&bb=k&c=1.0&d=6|public.t|~|~|~
--= SELECT 1
update t set bb = 'k' where aa = 1; select * from events();
--! so changes of a renamed key are noticed
--= ERROR XX000: primary key update not allowed
update t set aa = 99 where aa = 2;
do $$ begin update t set aa = 99 where aa = 2; exception when others then null; end $$;
select count(*) >= 0 from events();
alter table t drop constraint t_pkey;
update t set bb = 'none' where aa = 1;
insert into t (aa, bb) values (3, 'no key'); select * from events();
alter table t alter d set not null; alter table t add primary key (d, aa);
update t set bb = 'two' where aa = 1; select * from events();
delete from t where aa = 3; select * from events();
alter table t drop constraint t_pkey;
create unique index on t (aa);
delete from t where aa = 1;
alter table t add primary key (aa) include (bb);
--! columns of INCLUDE are no key
--= UPDATE 1
--= U:aa|aa=1&bb=included&c=1.0&d=6|public.t|~|~|~
--= SELECT 1
update t set bb = 'included' where aa = 1; select * from events();
alter table t drop constraint t_pkey; alter table t alter aa set not null; create unique index t_id on t (aa); alter table t replica identity using index t_id;
delete from t where aa = 1;

-- Odd names, no columns, only the key.
create table "Odd Tab" ("Key A" int, b text, "select" text, "ä=&" text, primary key (b, "Key A"));
create function all_kinds(i_table text, variadic i_statements text[]) returns setof text language plpgsql as $$
declare
  v_kind text;
  v_sql text;
begin
  foreach v_kind in array '{logutriga,sqltriga,jsontriga}'::text[] loop
    perform put_trigger(i_table, v_kind, '{q,backup}');
    foreach v_sql in array i_statements loop
      return next outcome(v_sql);
    end loop;
    return query select concat_ws('|', ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4) from events();
  end loop;
end $$;
select all_kinds('"Odd Tab"', $$insert into "Odd Tab" values (1, 'x y', 'v', null)$$, $$update "Odd Tab" set "select" = 'w'$$, 'update "Odd Tab" set "Key A" = 2', 'delete from "Odd Tab"');
create table only_key (k int primary key);
select all_kinds('only_key', 'insert into only_key values (1)', 'update only_key set k = k', 'update only_key set k = 2', 'delete from only_key');
create table bare ();
select all_kinds('bare', 'insert into bare default values', 'delete from bare');
create table dropped (a int, b int); alter table dropped drop column a, drop column b;
select all_kinds('dropped', 'insert into dropped default values', 'delete from dropped');
create table wide (id int primary key);
do $$ begin for i in 1 .. 300 loop execute format('alter table wide add c%s text default %L', i, i); end loop; end $$;
select all_kinds('wide', 'insert into wide values (1)', 'update wide set c150 = null, c299 = ''x''', 'delete from wide');
create collation if not exists no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table collated (k text collate no_case primary key, v text collate no_case, w text);
select all_kinds('collated', $$insert into collated values ('A', 'v', 'w')$$, $$update collated set k = 'a', v = 'V', w = 'W'$$, $$update collated set k = 'b'$$, 'delete from collated');
create table long (id int primary key, v text);
select put_trigger('long', 'logutriga');
insert into long values (1, repeat('long text, ', 100000)); select ev_type, length(ev_data), md5(ev_data) from events();
select put_trigger('long', 'jsontriga', '{q,backup}');
update long set v = repeat(E'\\"\n', 100000); select length(ev_data), md5(ev_data), length(ev_extra2), md5(ev_extra2) from events();

-- Generated and identity columns; other triggers before and after.
create table made (id int primary key, a int, g int generated always as (a * 2) stored, i int generated always as identity);
select put_trigger('made', 'logutriga'); insert into made (id, a) values (1, 1); update made set a = 2; delete from made; select * from events();
select put_trigger('made', 'logutriga', '{q}', 'before'); insert into made (id, a) values (1, 1); delete from made; select * from events();
create function doubles() returns trigger language plpgsql as $$ begin new.a := new.a * 2; return new; end $$;
create trigger a_first before insert on made for each row execute function doubles();
create trigger z_last before insert on made for each row execute function doubles();
insert into made (id, a) values (1, 1); select ev_data from events(); select id, a, g from made;

-- Partitions, inheritance, views, foreign key actions, conflicts, moves.
create table parts (id int, k text) partition by range (id);
create table part1 partition of parts for values from (0) to (10); create table part2 (k text, x int, id int); alter table part2 drop column x; alter table parts attach partition part2 for values from (10) to (20);
select all_kinds('parts', $$insert into parts values (1, 'x'), (11, 'y')$$, $$update parts set k = 'z'$$, 'update parts set id = id + 10 where id = 1', 'delete from parts');
select put_trigger('parts', 'jsontriga', '{q,pkey=id}'); insert into parts values (1, 'x'), (11, 'y'); update parts set k = 'z'; update part2 set k = 'direct'; delete from parts; select * from events();
create table mother (id int primary key); create table child (extra text) inherits (mother);
select put_trigger('mother', 'logutriga'); insert into mother values (1); insert into child values (2, 'x'); update mother set id = id; delete from mother; select * from events();
create table viewed (id int primary key, a int); insert into viewed values (1, 1), (2, 2); create view seen as select id, a from viewed;
select put_trigger('seen', 'logutriga', '{q,pkey=id}', 'instead of'); insert into seen values (5, 5); update seen set a = 3; delete from seen where id = 1; select * from events(); select count(*) from viewed;
select put_trigger('seen', 'sqltriga', '{q}', 'instead of'); insert into seen values (5, 5);
delete from seen;
create table one (id int primary key); create table many (id int primary key, one int references one on delete cascade on update cascade); insert into one values (1); insert into many values (1, 1), (2, 1);
select put_trigger('many', 'logutriga'); delete from one; select * from events();
create table upserted (id int primary key, v text); select put_trigger('upserted', 'logutriga');
insert into upserted values (1, 'a') on conflict (id) do update set v = 'b'; insert into upserted values (1, 'a'), (2, 'c') on conflict (id) do update set v = 'b'; insert into upserted values (1, 'x') on conflict do nothing; select * from events();
select put_trigger('upserted', 'logutriga', '{q,SKIP}', 'before'); insert into upserted values (3, 'skipped') on conflict (id) do update set v = 'b'; update upserted set v = 'skipped'; delete from upserted; select * from events(); select * from upserted order by 1;
create temp table passing (id int primary key); select put_trigger('passing', 'logutriga'); insert into passing values (1); select ev_type, ev_data, ev_extra1 ~ '^pg_temp' from events();
create unlogged table light (id int primary key); select put_trigger('light', 'logutriga'); insert into light values (1); select * from events();

-- Only some columns, conditions, deferred.
create table some (id int primary key, a int, b int); insert into some values (1, 1, 1);
create trigger tg after update of a on some for each row when (new.a > 5) execute function pgq.logutriga('q'); update some set a = 2; update some set b = 7; update some set a = 6; select * from events();
drop trigger tg on some; create constraint trigger tg after update on some deferrable initially deferred for each row execute function pgq.logutriga('q');
begin; update some set a = 7; update some set a = 8; select * from events(); commit; select * from events();

-- Replication roles and queues.
create table roles (id int primary key, v text);
create function under(i_role text, i_when text, i_options text[], i_enable text) returns text language plpgsql as $$
declare
  v_out text;
begin
  perform put_trigger('roles', 'logutriga', i_options, i_when);
  execute format('alter table roles enable %s trigger tg', i_enable);
  perform set_config('session_replication_role', i_role, true);
  v_out := outcome($x$insert into roles values (1, 'v')$x$) || ', ' || outcome($x$update roles set v = 'w'$x$) || ', ' || outcome('update roles set id = 2');
  v_out := v_out || ', ' || (select count(*) from roles) || ' rows, ' || outcome('delete from roles') || ', ' || (select count(*) from roles) || ' rows, ' || (select count(*) from events()) || ' events';
  set local session_replication_role = local;
  delete from roles;
  set local session_replication_role = origin;
  return v_out;
end $$;
select r, w, o, e, under(r, w, o, e) from unnest('{origin,local,replica}'::text[]) r, unnest('{before,after}'::text[]) w, (values ('{q}'::text[]), ('{q,SKIP}'), ('{q,deny}'), ('{q,bogus}')) o(o), unnest('{"",replica,always}'::text[]) e;
update pgq.queue set queue_disable_insert = true;
select r, replace(under(r, 'after', '{q}', 'always'), 'P0001', 'XX000') from unnest('{origin,local,replica}'::text[]) r;
update pgq.queue set queue_disable_insert = false, queue_per_tx_limit = 2;
select put_trigger('roles', 'logutriga');
--! raised in PL/pgSQL; no client reads the class
--= ERROR P0001: Queue 'q' allows max 2 events from one TX
insert into roles select i, 'v' from generate_series(1, 3) i;
insert into roles select i, 'v' from generate_series(1, 2) i;
update pgq.queue set queue_per_tx_limit = null;
select count(*) from events();

-- Who replaces insert_event changes the triggers too.
begin;
create or replace function pgq.insert_event(queue_name text, ev_type text, ev_data text, ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text)
returns bigint language plpgsql as $$ begin raise notice '% % % %', queue_name, ev_type, ev_data, ev_extra1; return 1; end $$;
update roles set v = 'to another';
rollback;

-- An old snapshot and a table that was altered since.
create table altered (id int primary key, a int); insert into altered values (1, 1);
select put_trigger('altered', 'logutriga');
--@ b
begin isolation level repeatable read;
select count(*) from pgq.queue;
--@ a
alter table altered add b int; alter table altered rename a to aa;
--@ b
--! the catalogue of the snapshot is not that of the rows
--= ERROR 40001: table public.altered was altered after this transaction took its snapshot
update altered set aa = 2;
rollback;
update altered set aa = 3;
select * from events();
