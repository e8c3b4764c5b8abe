-- Statement level capture and what happens inside and around statements; each trap with the end state or the order it needs.

\ir expect.psql

create function capture(i_table text, variadic i_args text[] default '{}') returns text language sql as
  $$select skytools.create_capture('q', 'public.' || i_table, 'cap', 'logutriga', 'after', 'IUD', i_args)$$;
-- Statement level triggers of a table, for checks of the level chosen.
create function levels(i_table text) returns text language sql as
  $$select string_agg(case when tgtype & 1 = 1 then 'row' else 'statement' end || ' ' || tgname, ', ' order by tgname)
      from pg_trigger where tgrelid = i_table::regclass and skytools.is_capture_func(tgfoid)$$;
-- What a subscriber has after applying the events in order: id → v.
create function replayed() returns jsonb language plpgsql as $$
declare
  e record;
  v_rows jsonb := '{}';
begin
  for e in select ev_type, substring(ev_data from 'id=([^&]*)') as id, substring(ev_data from '&v=([^&]*)') as v from pgq.event_template order by ev_id loop
    case left(e.ev_type, 1)
      when 'I' then v_rows := v_rows || jsonb_build_object(e.id, e.v);
      when 'U' then v_rows := case when v_rows ? e.id then v_rows || jsonb_build_object(e.id, e.v) else v_rows end;
      when 'D' then v_rows := v_rows - e.id;
    end case;
  end loop;
  return v_rows;
end $$;

-- Names, levels, arguments for tools that read them
create table plain (id int primary key, v text);
select capture('plain');
do $$ begin
  assert levels('plain') = 'statement cap_delete, row cap_guard_drop_capture_first, statement cap_insert, statement cap_update', levels('plain');
  assert (select bool_and(encode(tgargs, 'escape') = 'q\000') from pg_trigger where tgrelid = 'plain'::regclass);
end $$;

-- Order of rows, an empty statement, and a key that changes
insert into plain select i, 'v' || i from generate_series(1, 5000) i;
do $$ begin
  assert (select array_agg(substring(ev_data from 'id=(\d+)')::int order by ev_id) from pgq.event_1) = array(select generate_series(1, 5000));
end $$;
update plain set v = v where false;
delete from plain where false;
update plain set v = 'w';
delete from plain where id > 2;
do $$ begin
  assert (select array_agg(n order by n) from (select count(*) n from pgq.event_1 group by left(ev_type, 1)) s) = '{4998,5000,5000}';
  assert replayed() = '{"1": "w", "2": "w"}', replayed();
end $$;
select forget();
select expect_error('update plain set id = id + 10', 'primary key update not allowed');
select expect_error('update plain set id = id + 1', '%', '23505');
select expect_nothing();

-- ON CONFLICT fires insert and update triggers
insert into plain values (2, 'c'), (3, 'new') on conflict (id) do update set v = excluded.v;
do $$ begin
  assert (select array_agg(ev_type || ev_data order by ev_type) from pgq.event_1) = '{I:idid=3&v=new,U:idid=2&v=c}';
end $$;
insert into plain values (3, 'no') on conflict do nothing;
do $$ begin
  if current_setting('server_version_num')::int >= 150000 then
    execute $m$merge into plain p using (values (1, 'm'), (3, null), (4, 'i')) s(id, v) on p.id = s.id
      when matched and s.v is null then delete when matched then update set v = s.v when not matched then insert values (s.id, s.v)$m$;
    assert replayed() = '{"4": "i"}' and (select count(*) from pgq.event_1) = 5, replayed();
  end if;
end $$;
select forget();
set session_replication_role = local; truncate plain cascade; reset session_replication_role;

-- A data modifying WITH: two statements' worth of changes in one
with a as (insert into plain values (1, 'a') returning id) insert into plain select id + 1, 'b' from a;
do $$ begin assert replayed() = '{"1": "a", "2": "b"}', replayed(); end $$;

-- Foreign key actions run as statements of their own
create table child (id int primary key, v text, parent int references plain on delete cascade);
create table orphan (id int primary key, parent int references plain on delete set null);
select capture('child'), capture('orphan');
insert into child values (1, 'x', 1); insert into orphan values (1, 1);
select forget();
delete from plain where id = 1;
do $$ begin
  assert (select array_agg(ev_type || '|' || ev_data || '|' || ev_extra1 order by ev_extra1) from pgq.event_1)
    = '{D:id|id=1&v=x&parent=1|public.child,U:id|id=1&parent|public.orphan,D:id|id=1&v=b|public.plain}'
   or (select array_agg(ev_type || '|' || ev_data || '|' || ev_extra1 order by ev_extra1) from pgq.event_1)
    = '{D:id|id=1&v=x&parent=1|public.child,U:id|id=1&parent|public.orphan,D:id|id=1&v=a|public.plain}';
end $$;
select forget();

-- A table that refers to itself
create table tree (id int primary key, v text, parent int references tree on delete cascade);
select capture('tree');
insert into tree values (1, 'root', null), (2, 'a', 1), (3, 'b', 2), (4, 'other', null);
delete from tree where id = 1;
do $$ begin
  assert replayed() = '{"4": "other"}' and (select count(*) from pgq.event_1) = 7, replayed();
end $$;
select forget();

-- … by a column outside the key that follows updates: the same row changes twice in one statement
create table names (id int primary key, v text unique, boss text references names (v) on update cascade);
select capture('names');
insert into names values (1, 'ann', null), (2, 'bob', 'ann');
update names set v = v || '2';
do $$
declare v_last text := (select ev_data from pgq.event_1 where ev_data like 'id=2&%' order by ev_id desc limit 1);
begin
  assert (select boss from names where id = 2) = 'ann2';
  assert v_last = 'id=2&v=bob2&boss=ann2', v_last;
  assert not exists (select from skytools.check_captures());
end $$;
select forget();

-- Another AFTER ROW trigger that changes the same rows, there from the start: row level
create function touch() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then update nested set v = v || '+' where id = new.id; end if;
  return null;
end $$;
create table nested (id int primary key, v text);
create trigger touch after insert on nested for each row execute function touch();
select capture('nested');
do $$ begin assert levels('nested') = 'row cap'; end $$;
insert into nested values (1, 'a'), (2, 'b');
select expect('I:id|id=1&v=a|public.nested', 'U:id|id=1&v=a%2b|public.nested', 'I:id|id=2&v=b|public.nested', 'U:id|id=2&v=b%2b|public.nested');
-- … and one that appears later: end state right at once, level right after the renewal
drop trigger touch on nested;
delete from nested;
select skytools.renew_captures('q');
do $$ begin assert levels('nested') like 'statement%'; end $$;
select forget();
insert into nested values (0, 'before');
create trigger touch after insert on nested for each row execute function touch();
insert into nested values (1, 'a'), (2, 'b');
update nested set v = 'z' where id = 2;
do $$ begin
  assert replayed() = '{"0": "before", "1": "a%2b", "2": "z"}', replayed();
  assert (select count(*) from skytools.check_captures()) > 0;
  assert skytools.renew_captures('q') = 1;
  assert levels('nested') = 'row cap' and not exists (select from skytools.check_captures());
end $$;
select forget();

-- Partitions: rows through the parent, rows into the partition, the partition's name
create table part (id int, v text, primary key (id)) partition by range (id);
create table part1 partition of part for values from (0) to (100);
select capture('part');
insert into part values (1, 'a'); insert into part1 values (2, 'b');
create table part2 (v text, id int not null, primary key (id));
alter table part attach partition part2 for values from (100) to (200);
insert into part values (101, 'c'); update part set v = 'd' where id = 101; delete from part where id = 1;
select expect('I:id|id=1&v=a|public.part1', 'I:id|id=2&v=b|public.part1', 'I:id|id=101&v=c|public.part2',
              'U:id|id=101&v=d|public.part2', 'D:id|id=1&v=a|public.part1');

-- A captured table can not silently become a partition or a child; after becoming a parent it says what to do
select expect_error('alter table part attach partition plain for values from (200) to (300)', 'trigger "cap_%" prevents table "plain" from becoming a partition', '0A000');
create table base (id int, v text);
select expect_error('alter table plain inherit base', 'trigger "cap_%" prevents table "plain" from becoming an inheritance child', '0A000');
create table heir () inherits (child);
select expect_error('insert into child values (7, ''x'')', 'table %child has got inheritance relatives%renew_captures%');
select skytools.renew_captures('q');
do $$ begin assert levels('child') = 'row cap'; end $$;
insert into child values (7, 'x'); insert into heir values (8, 'y'); update child set v = 'z';
select expect('I:id|id=7&v=x&parent|public.child', 'U:id|id=7&v=z&parent|public.child');

-- Keys swapped within one statement: allowed by a deferrable key, and the events say what happened
create table swap (id int primary key deferrable initially deferred, v text);
select capture('swap');
insert into swap values (1, 'a'), (2, 'b');
update swap set id = 3 - id;
do $$ begin assert replayed() = (select jsonb_object_agg(id, v) from swap), replayed(); end $$;
