-- maint_operations: what the ticker runs, in this order; which extra functions it may be told to run.
\ir helpers.psql

create function operations() returns text language sql as $$
  select string_agg(f || coalesce(' ' || a, ''), ', ' order by nr) from pgq.maint_operations() with ordinality o (f, a, nr)
   where f not in ('vacuum', 'londiste.periodic_maintenance') $$;

select expect($$select operations()$$, '');
select pgq.create_queue('b'), pgq.create_queue('a'), pgq.create_queue('c');
select expect($$select operations()$$, '');

-- due queues by name, step 2 once; and as long as a queue needs it
update pgq.queue set queue_rotation_period = '0' where queue_name in ('a', 'b');
select expect($$select operations()$$, '"pgq.maint_rotate_tables_step1 a, pgq.maint_rotate_tables_step1 b, pgq.maint_rotate_tables_step2"');
select pgq.maint_rotate_tables_step1('a');
select expect($$select operations()$$, '"pgq.maint_rotate_tables_step1 b, pgq.maint_rotate_tables_step2"');
select pgq.maint_rotate_tables_step1('b');
select expect($$select operations()$$, 'pgq.maint_rotate_tables_step2');
select pgq.maint_rotate_tables_step2();
update pgq.queue set queue_rotation_period = '1 day';
select expect($$select operations()$$, '');

-- extra functions of queues: passed through as they are, in their order; none is no error
update pgq.queue set queue_extra_maint = '{zzz,foo.bar,vacuum}' where queue_name = 'b';
update pgq.queue set queue_extra_maint = '{}' where queue_name = 'c';
update pgq.queue set queue_extra_maint = array['one', null, 'two'] where queue_name = 'a';
select expect($$select string_agg(func_name || ' ' || func_arg, ', ') from pgq.maint_operations() where func_arg in ('a', 'b', 'c')$$,
              '"one a, two a, zzz b, foo.bar b, vacuum b"');
-- the ticker may be a superuser: functions of somebody else, and the server's own, are left out
create role maint_stranger; grant create on schema public to maint_stranger;
set role maint_stranger; create function public.evil(text) returns int language sql as 'select 0'; reset role;
create function public.good(text) returns int language sql as 'select 0';
update pgq.queue set queue_extra_maint = '{public.evil,evil,pg_catalog.ts_stat,public.good,good}' where queue_name = 'a';
update pgq.queue set queue_extra_maint = null where queue_name = 'b';
set client_min_messages = error;
select expect($$select operations()$$, '"public.good a, good a"');
update pgq.queue set queue_extra_maint = null;
reset client_min_messages;

-- everything at once, the other schemas' part at the end
select expect($$select func_arg is null from pgq.maint_operations() where func_name = 'londiste.periodic_maintenance'$$, 't');
insert into pgq_node.node_location (queue_name, node_name, node_location) values ('b', 'n', ''), ('a', 'n', '');
select pgq.register_consumer('a', 'w'), pgq.register_consumer('b', 'w');
insert into pgq_node.node_info (queue_name, node_type, node_name, worker_name) values ('b', 'root', 'n', 'w'), ('a', 'root', 'n', 'w');
insert into londiste.seq_info (queue_name, seq_name, local, last_value) values ('b', 's', true, 1), ('b', 's2', true, 1), ('a', 's', false, 1);
update pgq.queue set queue_rotation_period = '0' where queue_name = 'c';
update pgq.queue set queue_extra_maint = '{good}' where queue_name = 'c';
select expect($$select string_agg(func_name || coalesce(' ' || func_arg, ''), ', ') from pgq.maint_operations() where func_name <> 'vacuum'$$,
              '"pgq.maint_rotate_tables_step1 c, pgq.maint_rotate_tables_step2, good c, pgq_node.maint_watermark a,'
              ' pgq_node.maint_watermark b, londiste.root_check_seqs b, londiste.periodic_maintenance"');
update pgq_node.node_info set node_type = 'branch';
select expect($$select string_agg(func_name || coalesce(' ' || func_arg, ''), ', ') from pgq.maint_operations() where func_name <> 'vacuum'$$,
              '"pgq.maint_rotate_tables_step1 c, pgq.maint_rotate_tables_step2, good c, londiste.periodic_maintenance"');

-- vacuum: only without autovacuum, only what exists, before the other schemas' part
do $$
declare
  v_small text := 'pgq.subscription pgq.consumer pgq.queue pgq.tick pgq.retry_queue'
                  ' pgq_ext.completed_tick pgq_ext.completed_batch pgq_ext.completed_event pgq_ext.partial_batch'
                  ' pgq_node.local_state londiste.seq_info';
  v_seen  text := coalesce((select string_agg(t, ' ') from pgq.maint_tables_to_vacuum() t), '');
begin
  assert v_seen = case when current_setting('autovacuum') = 'on' then '' else v_small end, v_seen;
  assert v_seen = coalesce((select string_agg(func_arg, ' ') from pgq.maint_operations() where func_name = 'vacuum'), '');
end $$;

-- without those schemas
drop schema londiste cascade; drop schema pgq_node cascade;
select expect($$select operations()$$, '"pgq.maint_rotate_tables_step1 c, pgq.maint_rotate_tables_step2, good c"');
