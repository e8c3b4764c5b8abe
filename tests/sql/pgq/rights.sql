-- Who may call what: consumers, producers, ticker and everybody else. Each call succeeds or is denied, and leaves nothing behind.
\ir helpers.psql

create role rights_reader in role pgq_reader; create role rights_writer in role pgq_writer;
create role rights_admin in role pgq_admin;   create role rights_plain;

select pgq.create_queue('q'), pgq.create_queue('x');
select pgq.register_consumer('q', 'c');
select pgq.insert_event('q', 't', 'd');
select tick_now('q');
select pgq.next_batch('q', 'c');   -- batch 1
select pgq.set_queue_config('x', 'external_ticker', 'true');
update pgq.queue set queue_rotation_period = '0' where queue_name = 'x';

-- Does the call succeed? Only a missing privilege is a no, any other error comes through; all is rolled back.
create function may(i_role text, i_sql text) returns boolean language plpgsql as $$
begin
  begin
    perform set_config('role', i_role, true);
    execute i_sql;
    raise exception using errcode = 'RB000';
  exception
    when sqlstate 'RB000' then return true;
    when insufficient_privilege then return false;
  end;
end $$;

do $$
declare
  r record;
  v_seen text;
begin
  for r in select * from (values
    -- reader, writer, admin, plain
    ('++++', 'select * from pgq.get_queue_info()'),
    ('++++', 'select * from pgq.get_queue_info(''q'')'),
    ('++++', 'select * from pgq.get_consumer_info()'),
    ('++++', 'select * from pgq.get_consumer_info(''q'')'),
    ('++++', 'select * from pgq.get_consumer_info(''q'', ''c'')'),
    ('++++', 'select pgq.version()'),
    ('++++', 'select pgq.quote_fqname(''a'')'),
    ('++++', 'select pgq.seq_getval(''pgq.event_1_id_seq'')'),
    ('++++', 'select pgq.seq_getval(''pgq.event_1_tick_seq'')'),

    ('+-+-', 'select pgq.register_consumer(''q'', ''new'')'),
    ('+-+-', 'select pgq.register_consumer_at(''q'', ''new'', 1)'),
    ('+-+-', 'select pgq.unregister_consumer(''q'', ''c'')'),
    ('+-+-', 'select pgq.next_batch(''q'', ''c'')'),
    ('+-+-', 'select * from pgq.next_batch_info(''q'', ''c'')'),
    ('+-+-', 'select * from pgq.next_batch_custom(''q'', ''c'', null, 1, null)'),
    ('+-+-', 'select * from pgq.find_tick_helper(1, 1, now(), 1, 1, null)'),
    ('+-+-', 'select * from pgq.get_batch_info(1)'),
    ('+-+-', 'select * from pgq.get_batch_events(1)'),
    ('+-+-', 'select * from pgq.get_batch_cursor(1, ''a'', 10)'),
    ('+-+-', 'select * from pgq.get_batch_cursor(1, ''a'', 10, ''true'')'),
    ('+-+-', 'select pgq.batch_event_sql(1)'),
    ('+-+-', 'select * from pgq.batch_event_tables(1)'),
    ('+-+-', 'select pgq.event_retry(1, 1, 1)'),
    ('+-+-', 'select pgq.event_retry(1, 1, now())'),
    ('+-+-', 'select pgq.batch_retry(1, 1)'),
    ('+-+-', 'select pgq.finish_batch(1)'),
    ('+-+-', 'select pgq.force_tick(''q'')'),

    ('-++-', 'select pgq.insert_event(''q'', ''t'', ''d'')'),
    ('-++-', 'select pgq.insert_event(''q'', ''t'', ''d'', null, null, null, null)'),
    ('-++-', 'select pgq.current_event_table(''q'')'),

    ('--+-', 'select pgq.insert_event_raw(''q'', null, null, null, null, ''t'', ''d'', null, null, null, null)'),
    ('--+-', 'select pgq.event_retry_raw(''q'', ''c'', now(), 1, now(), 1, ''t'', ''d'', null, null, null, null)'),
    ('--+-', 'select pgq.ticker()'),
    ('--+-', 'select pgq.ticker(''q'')'),
    ('--+-', 'select pgq.ticker(''x'', 9, now(), 9)'),
    ('--+-', 'select skytools.tick(''q'', ''1 s'')'),
    ('--+-', 'select skytools.tick(''q'', ''1 s'', ''1 s'')'),
    ('--+-', 'select * from pgq.maint_operations()'),
    ('--+-', 'select pgq.maint_retry_events()'),
    ('--+-', 'select pgq.maint_rotate_tables_step1(''x'')'),
    ('--+-', 'select pgq.maint_rotate_tables_step2()'),
    ('--+-', 'select * from pgq.maint_tables_to_vacuum()'),
    ('--+-', 'select pgq.create_queue(''new'')'),
    ('--+-', 'select pgq.drop_queue(''x'')'),
    ('--+-', 'select pgq.drop_queue(''q'', true)'),
    ('--+-', 'select pgq.set_queue_config(''q'', ''ticker_paused'', ''true'')'),
    ('--+-', 'select pgq.grant_perms(''q'')'),
    ('--+-', 'select pgq._grant_perms_from(''pgq'', ''none'', ''pgq'', ''none'')'),
    ('--+-', 'select pgq.seq_setval(''pgq.event_1_id_seq'', 0)'),
    ('--+-', 'select pgq.tune_storage(''none'')'),
    ('----', 'select pgq.tune_storage(''q'')'),   -- only the tables'' owner alters them
    ('--+-', 'select pgq.upgrade_schema()'),

    ('++++', 'select * from pgq.queue'),
    ('++++', 'select * from pgq.tick'),
    ('++++', 'select * from pgq.consumer'),
    ('++++', 'select * from pgq.subscription'),
    ('+-+-', 'select * from pgq.event_template'),
    ('+-+-', 'select * from pgq.event_1_0'),
    ('--+-', 'select * from pgq.retry_queue'),
    ('--+-', 'update pgq.queue set queue_name = queue_name'),
    ('--+-', 'delete from pgq.tick where false'),
    ('--+-', 'insert into pgq.event_1_0 (ev_time) values (now())'),
    ('--+-', 'truncate pgq.event_1_0'),
    ('----', 'update pgq.event_1_0 set ev_data = null'),
    ('----', 'delete from pgq.event_1_0'),
    ('--+-', 'select nextval(''pgq.event_1_id_seq'')'),
    ('----', 'select setval(''pgq.event_1_id_seq'', 1)'),
    ('----', 'select nextval(''pgq.event_1_tick_seq'')'),
    ('----', 'select nextval(''pgq.batch_id_seq'')'),
    ('----', 'select nextval(''pgq.queue_queue_id_seq'')'),
    ('++++', 'select * from skytools.rotation_1'),
    ('----', 'create table pgq.mine ()'),
    ('----', 'create table skytools.mine ()')
  ) s (who, call)
  loop
    v_seen := (select string_agg(case when may(name, r.call) then '+' else '-' end, '' order by nr)
                 from unnest('{rights_reader,rights_writer,rights_admin,rights_plain}'::text[]) with ordinality n (name, nr));
    assert v_seen = r.who, format('%s: expected %s, got %s', r.call, r.who, v_seen);
  end loop;
end $$;

-- The whole life of a queue in the hands of a pgq_admin, whose queue belongs to the schema's owner all the same
set role rights_admin;
select pgq.create_queue('own'), pgq.insert_event('own', 't', 'd');
update pgq.queue set queue_rotation_period = '0';
select public.expect($$select count(*) > 0 from pgq.maint_operations()$$, 't');
select pgq.maint_rotate_tables_step1('own');
select pgq.maint_rotate_tables_step2();
select public.expect($$select queue_cur_table, queue_switch_step2 > queue_switch_step1 from pgq.queue where queue_name = 'own'$$, '1,t');
select public.expect($$select distinct tableowner = 'rights_admin' from pg_tables, pgq.queue
                      where queue_name = 'own' and (tablename = 'event_' || queue_id or tablename like 'event\_' || queue_id || '\__')$$, 'f');
select public.expect($$select pgq.register_consumer('own', 'c')$$, '1');
select public.expect($$select pgq.drop_queue('own', true)$$, '1');
reset role;

-- The roles themselves: pgq_admin is both of the others, which are not each other
select expect($$select pg_has_role('pgq_admin', 'pgq_reader', 'usage'), pg_has_role('pgq_admin', 'pgq_writer', 'usage'),
                       pg_has_role('pgq_reader', 'pgq_writer', 'member'), pg_has_role('pgq_writer', 'pgq_reader', 'member')$$, 't,t,f,f');
select expect($$select count(*) from pg_roles where rolname in ('pgq_reader', 'pgq_writer', 'pgq_admin') and not rolcanlogin and not rolsuper$$, '3');

-- Functions that run as their owner cannot be led astray by the caller's search_path
select expect($$select oid::regprocedure from pg_proc where pronamespace in ('pgq'::regnamespace, 'skytools'::regnamespace) and prosecdef
                and (proconfig is null or not proconfig @> '{"search_path=pg_catalog, pg_temp"}') and proname not like 'capture\_%\_%\__'$$, null);
drop owned by rights_reader, rights_writer, rights_admin, rights_plain;
drop role rights_reader, rights_writer, rights_admin, rights_plain;
