-- Who may do what: every call as one of four roles, its effect undone.

select pgq.create_queue('q');
select pgq.register_consumer('q', 'c');
select pgq.insert_event('q', 't' || i, 'd') > 0 from generate_series(1, 3) i;
select tick('q') > 0;
select pgq.next_batch('q', 'c');
create table captured (id int primary key, v text);
create trigger tg after insert or update or delete on captured for each row execute function pgq.logutriga('q');
create table captured2 (id int primary key, v text);
grant all on captured, captured2 to public;
grant create on schema public to public;

-- attempt(role, statement): how it ends for that role; always undone.
create function attempt(i_role text, i_sql text) returns text language plpgsql as $$
declare
  v_outcome text := 'ok';
begin
  begin
    execute format('set local role %I', i_role);
    execute i_sql;
    raise exception 'undo' using errcode = 'SKY01';
  exception
    when sqlstate 'SKY01' then null;
    when others then v_outcome := sqlstate || ' ' || sqlerrm;
  end;
  return v_outcome;
end $$;
set client_min_messages = error;  -- as often as the server names grants that gave nothing
select role, attempt('peer_' || role, call), call from unnest('{plain,reader,writer,admin}'::text[]) role, (values
  ('select * from pgq.get_queue_info()'), ($$select * from pgq.get_queue_info('q')$$), ('select * from pgq.get_consumer_info()'),
  ($$select * from pgq.get_consumer_info('q')$$), ($$select * from pgq.get_consumer_info('q', 'c')$$), ('select pgq.version()'),
  ($$select pgq.seq_getval('pgq.event_1_tick_seq')$$), ($$select pgq.seq_getval('pgq.event_1_id_seq')$$), ($$select pgq.quote_fqname('a.b')$$),
  ('select pgq.batch_event_sql(1)'), ('select pgq.batch_event_tables(1)'), ($$select pgq.find_tick_helper(1, 1, now(), 1, 1, '1s')$$),
  ($$select pgq.register_consumer('q', 'new')$$), ($$select pgq.register_consumer_at('q', 'new', 1)$$), ($$select pgq.unregister_consumer('q', 'c')$$),
  ($$select pgq.next_batch('q', 'c')$$), ($$select pgq.next_batch_info('q', 'c')$$), ($$select pgq.next_batch_custom('q', 'c', null, null, null)$$),
  ('select pgq.get_batch_events(1)'), ('select pgq.get_batch_info(1)'), ($$select pgq.get_batch_cursor(1, 'cur', 10)$$), ($$select pgq.get_batch_cursor(1, 'cur', 10, 'true')$$),
  ('select pgq.event_retry(1, 1, 0)'), ('select pgq.event_retry(1, 1, now())'), ('select pgq.batch_retry(1, 0)'), ($$select pgq.force_tick('q')$$),
  ('select pgq.finish_batch(1)'), ($$select pgq.insert_event('q', 't', 'd')$$), ($$select pgq.insert_event('q', 't', 'd', null, null, null, null)$$),
  ($$select pgq.current_event_table('q')$$), ('select pgq.ticker()'), ($$select pgq.ticker('q')$$), ($$select pgq.ticker('q', 9, now(), 9)$$),
  ('select pgq.maint_retry_events()'), ($$select pgq.maint_rotate_tables_step1('q')$$), ('select pgq.maint_rotate_tables_step2()'),
  ('select pgq.maint_tables_to_vacuum()'), ('select pgq.maint_operations()'), ('select pgq.upgrade_schema()'), ($$select pgq.grant_perms('q')$$),
  ($$select pgq._grant_perms_from('pgq', 'event_template', 'pgq', 'event_1_0')$$), ($$select pgq.tune_storage('q')$$), ($$select pgq.seq_setval('pgq.event_1_tick_seq', 100)$$),
  ($$select pgq.create_queue('new')$$), ($$select pgq.drop_queue('q')$$), ($$select pgq.drop_queue('q', true)$$), ($$select pgq.set_queue_config('q', 'ticker_max_count', '5')$$),
  ($$select pgq.insert_event_raw('q', null, null, null, null, 't', 'd', null, null, null, null)$$),
  ($$select pgq.event_retry_raw('q', 'c', now(), 1, now(), 1, 't', 'd', null, null, null, null)$$)) calls(call) order by call, role;
select role, attempt('peer_' || role, call), call from unnest('{plain,reader,writer,admin}'::text[]) role, (values
  ('select * from pgq.queue'), ('select * from pgq.consumer'), ('select * from pgq.tick'), ('select * from pgq.subscription'), ('select * from pgq.retry_queue'),
  ('select * from pgq.event_template'), ('select * from pgq.event_1'), ('select * from pgq.event_1_0'), ('update pgq.queue set queue_ticker_paused = true'),
  ('delete from pgq.tick where false'), ('insert into pgq.consumer (co_name) values (null)'), ('update pgq.subscription set sub_active = now()'),
  ($$insert into pgq.event_1_0 (ev_id, ev_time, ev_type) values (1, now(), 't')$$), ($$insert into pgq.event_1_0 (ev_time, ev_type) values (now(), 't')$$),
  ('truncate pgq.event_1_0'), ('delete from pgq.event_1_0'), ('update pgq.event_1_0 set ev_type = null'), ('delete from pgq.retry_queue'), ('truncate pgq.tick'),
  ('select last_value from pgq.batch_id_seq'), ($$select nextval('pgq.event_1_id_seq')$$), ($$select nextval('pgq.event_1_tick_seq')$$), ($$select last_value from pgq.event_1_tick_seq$$),
  ($$select setval('pgq.event_1_id_seq', 1)$$), ('create table pgq.mine (i int)')) calls(call) order by call, role;

-- A table with a trigger: who writes needs the right to insert events.
select role, attempt('peer_' || role, $$insert into captured values (1, 'v')$$) from unnest('{plain,reader,writer,admin}'::text[]) role order by 1;
select role, attempt('peer_' || role, format('create trigger mine after insert on captured2 for each row execute function pgq.%s(''q'')', kind)), kind
  from unnest('{plain,reader,writer,admin}'::text[]) role, unnest('{logutriga,sqltriga,jsontriga}'::text[]) kind order by 3, 1;

-- A function's owner counts, not its caller.
create function put_for_me() returns bigint language sql security definer as $$ select pgq.insert_event('q', 't', 'd') $$;
select attempt('peer_plain', 'select put_for_me()');
select attempt('peer_reader', 'set local session_replication_role = replica');
