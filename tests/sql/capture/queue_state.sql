-- What the state of the queue, the session and the transaction do to capture, at statement and at row level and by hand.

\ir expect.psql

create table s (id int primary key, v text);    -- statement level
create table r (id int primary key, v text);    -- row level, because of its arguments
create table b (id int primary key, v text);    -- row level, before
create table h (id int primary key, v text);    -- trigger made by hand
select skytools.create_capture('q', 'public.s', 'cap', 'logutriga', 'after', 'IUD', '{}'),
       skytools.create_capture('q', 'public.r', 'cap', 'logutriga', 'after', 'IUD', '{when=true}'),
       skytools.create_capture('q', 'public.b', 'cap', 'logutriga', 'before', 'IUD', '{}');
create trigger cap after insert or update or delete on h for each row execute function pgq.logutriga('q');
create function each(i_sql text) returns setof text language sql as
  $$select format(i_sql, t) from unnest('{s,r,b,h}'::text[]) t$$;
create procedure run(i_sql text) language plpgsql as $$
declare q text;
begin
  for q in select each(i_sql) loop execute q; end loop;
end $$;

-- Inserts disabled: refused when there is an event, statements without rows pass, replica role passes where triggers fire
call run('insert into %I values (1, ''a'')');
select expect('I:id|id=1&v=a|public.s', 'I:id|id=1&v=a|public.r', 'I:id|id=1&v=a|public.b', 'I:id|id=1&v=a|public.h');
update pgq.queue set queue_disable_insert = true;
select expect_error(q, 'Insert into queue disallowed', 'P0001') from each('insert into %I values (2)') q;
call run('update %I set v = ''x'' where false');
do $$
declare t record;
begin
  for t in select tgrelid::regclass as tab, tgname from pg_trigger where tgname like 'cap%' loop
    execute format('alter table %s enable always trigger %I', t.tab, t.tgname);
  end loop;
end $$;
set session_replication_role = replica;
call run('update %I set v = ''r''');
set session_replication_role = origin;
select expect('U:id|id=1&v=r|public.s', 'U:id|id=1&v=r|public.r', 'U:id|id=1&v=r|public.b', 'U:id|id=1&v=r|public.h');
update pgq.queue set queue_disable_insert = false;

-- Closed after the row was read (an old snapshot shows it open); opened by hand it takes events, whatever the mark says
select skytools.note_closing(1, true);
call run('update %I set v = ''open''');
select expect('U:id|id=1&v=open|public.s', 'U:id|id=1&v=open|public.r', 'U:id|id=1&v=open|public.b', 'U:id|id=1&v=open|public.h');
begin isolation level repeatable read;
select expect_error(q, 'Insert into queue disallowed', 'P0001') from each('insert into %I values (2)') q;
commit;
select skytools.note_closing(1, false);

-- A queue that the extension made has no mark, until it is adopted
drop sequence skytools.rotation_1;
call run('update %I set v = ''ext''');
select expect('U:id|id=1&v=ext|public.s', 'U:id|id=1&v=ext|public.r', 'U:id|id=1&v=ext|public.b', 'U:id|id=1&v=ext|public.h');
do $$ begin assert skytools.adopt_queues() = 1; end $$;

-- local: nothing happens, not even the checks
set session_replication_role = local;
call run('update %I set id = 3');
set session_replication_role = origin;
call run('update %I set id = id where false');
select expect_nothing();

-- Rotation: the next event goes to the next table
update pgq.queue set queue_cur_table = 2;
call run('delete from %I');
do $$ begin
  assert (select count(*) from pgq.event_1_2) = 4 and (select count(*) from only pgq.event_1_0) = 0;
end $$;
update pgq.queue set queue_cur_table = 0;
select forget();

-- More tables than the function was generated for
create table pgq.event_1_3 (like pgq.event_1_0 including all) inherits (pgq.event_1);
update pgq.queue set queue_cur_table = 3, queue_ntables = 4;
call run('insert into %I values (5)');
do $$ begin
  assert (select count(*) from pgq.event_1_3) = 4;
  assert (select count(*) from skytools.check_captures()) > 0;
  perform skytools.renew_captures();
  assert (select count(*) from skytools.check_captures()) = 0;
end $$;
call run('delete from %I');
do $$ begin assert (select count(*) from pgq.event_1_3) = 8; end $$;
delete from pgq.event_1_3;
update pgq.queue set queue_cur_table = 0;

-- Limit per transaction; statements of more rows than allowed fail as a whole
update pgq.queue set queue_per_tx_limit = 3;
do $$
declare q text;
begin
  for q in select each('insert into %I values (11), (12), (13), (14)') loop
    perform expect_error(q, 'Queue ''q'' allows max 3 events from one TX', 'P0001');
  end loop;
end $$;
do $$ begin
  insert into s values (21), (22); insert into r values (21);
  perform expect_error('insert into h values (21)', 'Queue ''q'' allows max 3 events from one TX', 'P0001');
end $$;
update pgq.queue set queue_per_tx_limit = null;
select expect('I:id|id=21&v|public.s', 'I:id|id=22&v|public.s', 'I:id|id=21&v|public.r');

-- A snapshot from before a rotation: 40001, unless there is nothing to write
select setval('skytools.rotation_1', 9000000000000000);
call run('insert into %I values (30)');
select forget();
commit;
begin isolation level repeatable read;
select count(*) from pgq.queue;
update s set v = 'x' where false;
select expect_error(q, '%rotated%', '40001') from each('insert into %I values (31)') q;
commit;

-- One wake-up per transaction while the ticker sleeps (holds the lock), none while it is awake
do $$ begin
  perform set_config('test.sleeping', pg_try_advisory_lock(1397446516, 3)::text, false);
  assert current_setting('test.sleeping') = 'true';
end $$;
select pg_advisory_unlock(1397446516, 3);
begin;
insert into s values (40);
do $$ begin
  assert exists (select from pg_locks where locktype = 'advisory' and classid = 1397446516 and objid = 3 and mode = 'ShareLock' and pid = pg_backend_pid());
end $$;
commit;
begin;
update s set v = 'x' where false;
do $$ begin
  assert not exists (select from pg_locks where locktype = 'advisory' and classid = 1397446516 and objid = 3 and pid = pg_backend_pid());
end $$;
commit;
select forget();

-- The queue is gone
select pgq.drop_queue('q', true);
select expect_error(q, 'No such queue', 'P0001') from each('insert into %I values (50)') q;
do $$ begin assert (select bool_and(problem = 'the queue is gone') from skytools.check_captures()); end $$;
-- … and back under another number: events flow again, renewal brings the fast way back
select pgq.create_queue('q');
call run('insert into %I values (51)');
do $$ begin
  assert (select count(*) from pgq.event_2) = 4;
  assert skytools.renew_captures() = 3 and skytools.renew_captures() = 0;
  assert exists (select from pg_proc where proname ~ '^capture_2_') and not exists (select from pg_proc where proname ~ '^capture_1_');
end $$;
call run('delete from %I where id = 51');
do $$ begin assert (select count(*) from pgq.event_2) = 8; end $$;
