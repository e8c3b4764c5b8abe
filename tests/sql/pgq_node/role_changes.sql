-- demote_root step by step, also in the wrong order and taken back, and promote_branch.
\ir ../expect.psql
select pgq_node.register_location(q, n, 'dbname=' || n, false) from unnest(array['qa', 'qb', 'ql']) q, unnest(array['me', 'n1']) n;
select pgq_node.create_node('qa', 'root', 'me', 'root_w', null, null, null), pgq_node.create_node('qb', 'branch', 'me', 'b_w', 'n1', 100, null),
       pgq_node.create_node('ql', 'leaf', 'me', 'l_w', 'n1', 5, null);
select pgq.insert_event('qa', 't', 'first');

select expect($$pgq_node.demote_root('none', 1, 'n1')$$, '404|Node not initialized for queue: none|~');
select expect($$pgq_node.demote_root('qb', 1, 'n1')$$, '301|Node not root|~');
select expect($$pgq_node.demote_root('ql', 1, 'n1')$$, '301|Node not root|~');
select expect($$pgq_node.promote_branch('none')$$, '404|Node not initialized for queue: none');
select expect($$pgq_node.promote_branch('qa')$$, '301|Node not branch');
select expect($$pgq_node.promote_branch('ql')$$, '301|Node not branch');

-- Order of steps
select expect_error($$select pgq_node.demote_root('qa', 2, 'n1')$$, 'steps in wrong order');
select expect_error($$select pgq_node.demote_root('qa', 3, 'n1')$$, 'steps in wrong order');
select expect_error($$select pgq_node.demote_root('qa', 4, 'n1')$$, 'steps in wrong order');
select expect_error($$select pgq_node.demote_root('qa', -1, 'n1')$$, 'incorrect step number');
select expect_error($$select pgq_node.demote_root('qa', null, 'n1')$$, 'incorrect step number');

-- Step 1 closes the queue for events and ticks, 0 opens it.
create function queue_state(i_queue text) returns setof record language sql as
  'select queue_disable_insert, queue_external_ticker, node_type, provider_node, last_tick_id, uptodate
   from pgq.queue join pgq_node.node_info using (queue_name) join pgq_node.local_state using (queue_name) where queue_name = i_queue';
create view qa as select * from queue_state('qa') s (closed bool, external bool, type text, provider text, position bigint, uptodate bool);
select pgq_node.set_consumer_uptodate('qa', 'root_w', true);
select expect('qa', 'false|false|root|me|1|true');
select expect($$pgq_node.demote_root('qa', 1, null)$$, '200|Step 1: Writing disabled for: qa|~');
select expect($$pgq_node.demote_root('qa', 1, null)$$, '200|Step 1: Writing disabled for: qa|~');
select expect('qa', 'true|true|root|me|1|true');
select expect_error($$select pgq.insert_event('qa', 't', 'refused')$$, 'Insert into queue disallowed');
select expect_error($$select pgq_node.register_location('qa', 'n2', 'x', false)$$, 'Insert into queue disallowed');
select expect_error($$select tick('qa')$$, 'This queue has external tick source.');
select expect($$pgq_node.demote_root('qa', 0, null)$$, '200|Step 0: Writing enabled for: qa|~');
select expect('qa', 'false|false|root|me|1|true');
select pgq.insert_event('qa', 't', 'second');
select expect_events('qa', 't|first', 't|second');

-- Step 2: a last tick over everything written, one more each time; not in a transaction with an old snapshot.
select pgq_node.demote_root('qa', 1, null);
begin isolation level repeatable read;
select expect_error($$select pgq_node.demote_root('qa', 2, null)$$, '%READ COMMITTED%');
rollback;
select expect($$pgq_node.demote_root('qa', 2, null)$$, '200|Step 2: Inserted last tick: qa|2');
select expect($$pgq_node.demote_root('qa', 2, null)$$, '200|Step 2: Inserted last tick: qa|3');
select pgq.register_consumer_at('qa', 'reader', 1);
select expect($$select tick_id, tick_event_seq > (select max(ev_id) from pgq.event_template) from pgq.tick join pgq.queue on queue_id = tick_queue
                where queue_name = 'qa' and tick_id > 1 order by 1$$, '2|true', '3|true');
do $$ declare v_batch bigint := pgq.next_batch('qa', 'reader'); begin
  assert array(select ev_data from pgq.get_batch_events(v_batch) order by ev_id) = array['first', 'second'], 'the last tick lacks events';
  perform pgq.finish_batch(v_batch);
end $$;
select pgq.unregister_consumer('qa', 'reader');
-- From step 2 on a producer with an old snapshot is refused, too; the end of a rotation does not change that.
create function shown_closed(i_queue text) returns bool language sql as $$
  select pg_sequence_last_value(format('skytools.rotation_%s', queue_id)::regclass) >> 62 = 1 from pgq.queue where queue_name = i_queue $$;
select expect($$select shown_closed('qa')$$, 'true');
select pgq.maint_rotate_tables_step1('qa') from pgq.set_queue_config('qa', 'rotation_period', '0');
select pgq.maint_rotate_tables_step2();
select expect($$select shown_closed('qa')$$, 'true');
-- Taken back after step 2: the root goes on from its last tick.
select expect($$pgq_node.demote_root('qa', 0, null)$$, '200|Step 0: Writing enabled for: qa|~');
select expect($$select shown_closed('qa')$$, 'false');
select expect($$select pg_sequence_last_value(format('skytools.rotation_%s', queue_id)::regclass) = queue_switch_step1 from pgq.queue
                where queue_name = 'qa'$$, 'true');
select expect($$select tick('qa')$$, '4');
select pgq_node.demote_root('qa', 1, null), pgq_node.demote_root('qa', 2, null);

-- Step 3: a branch of the new root.
select expect_error($$select pgq_node.demote_root('qa', 3, 'n9')$$, '%local_state_queue_name_provider_node_fkey%', '23503');
select expect('qa', 'true|true|root|me|1|true');
select expect($$pgq_node.demote_root('qa', 3, 'n1')$$, '200|Step 3: Demoted root to branch: qa|5');
select expect('qa', 'true|true|branch|n1|5|false');
select expect($$pgq_node.demote_root('qa', 3, 'n1')$$, '301|Node not root|~');
select expect($$pgq_node.demote_root('qa', 0, 'n1')$$, '301|Node not root|~');
select expect($$select pgq_node.is_root_node('qa')$$, 'false');
select expect_error($$select pgq.insert_event('qa', 't', 'refused')$$, 'Insert into queue disallowed');

-- The branch mirrors ticks of the other root, then takes over: ticks and event ids go on after those.
select pgq.ticker('qa', 20, now(), 500);
select pgq_node.set_consumer_completed('qa', 'root_w', 20), pgq_node.set_consumer_uptodate('qa', 'root_w', true);
-- Were the sequence of ticks behind them, as after a restore, promotion would move it.
select setval(queue_tick_seq, 3) from pgq.queue where queue_name = 'qa';
select expect($$pgq_node.promote_branch('qa')$$, '200|Branch node promoted to root');
select expect('qa', 'false|false|root|me|20|false');
select expect($$pgq_node.promote_branch('qa')$$, '301|Node not branch');
select expect($$select pgq.insert_event('qa', 't', 'third') > 500$$, 'true');
select expect($$select tick('qa') > 20$$, 'true');
select expect_events('qa', 't|third');

-- A fresh branch can be promoted too.
select expect($$pgq_node.promote_branch('qb')$$, '200|Branch node promoted to root');
select expect($$select node_type, provider_node, worker_last_tick from pgq_node.get_node_info('qb')$$, 'root|me|100');
select expect($$select tick('qb') > 100$$, 'true');
