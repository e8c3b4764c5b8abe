-- Cascaded consumers on their target side: registration, position, error, and the pause/uptodate handshake.
\ir ../expect.psql
select pgq_node.register_location('qa', n, 'dbname=' || n, false) from unnest(array['me', 'n1']) n;
select pgq_node.create_node('qa', 'root', 'me', 'root_w', null, null, null);

-- Registration; a second one moves provider and position and keeps the rest.
select expect($$pgq_node.register_consumer('none', 'c1', 'n1', 5)$$, '404|Unknown queue: none');
select expect_error($$select pgq_node.register_consumer('qa', 'c1', 'zz', 5)$$, '%local_state_queue_name_provider_node_fkey%', '23503');
select expect_error($$select pgq_node.register_consumer('qa', 'c1', 'n1', null)$$, '%"last_tick_id"%', '23502');
select expect($$pgq_node.register_consumer('qa', 'c1', 'n1', 5)$$, '200|Consumer c1 registered on queue qa');
select expect($$pgq_node.get_consumer_state('qa', 'c1')$$, '100|Ok|root|me|5|n1|dbname=n1|false|false|~');
select pgq_node.set_consumer_uptodate('qa', 'c1', true);
select expect($$pgq_node.register_consumer('qa', 'c1', 'me', 6)$$, '201|Consumer already registered: qa/c1');
select expect($$pgq_node.get_consumer_info('qa')$$, 'c1|me|6|false|true|~', 'root_w|me|1|false|false|~');
select expect_error($$select pgq_node.register_consumer('qa', 'c1', 'zz', 6)$$, '%local_state_queue_name_provider_node_fkey%', '23503');
select expect($$pgq_node.get_consumer_state('qa', 'cx')$$, '404|Unknown consumer: qa/cx|root|me' || repeat('|~', 6));
select expect($$pgq_node.get_consumer_state('none', 'c1')$$, '404|Unknown queue: none' || repeat('|~', 8));
select expect($$pgq_node.get_consumer_info('none')$$);

-- Error and position: a completed batch clears the error; positions may go back.
select expect($$pgq_node.set_consumer_error('qa', 'c1', 'boo')$$, '100|Consumer c1 error = boo');
select expect($$select cur_error from pgq_node.get_consumer_state('qa', 'c1')$$, 'boo');
select expect($$pgq_node.set_consumer_error('qa', 'c1', null)$$, '100|~');
select expect($$select cur_error from pgq_node.get_consumer_state('qa', 'c1')$$, '~');
select expect($$pgq_node.set_consumer_error('qa', 'cx', 'boo')$$, '101|Consumer not known, ignoring: qa/cx');
select pgq_node.set_consumer_error('qa', 'c1', 'again');
select expect($$pgq_node.set_consumer_completed('qa', 'c1', 7)$$, '100|Consumer c1 completed tick = 7');
select expect($$select completed_tick, uptodate, cur_error from pgq_node.get_consumer_state('qa', 'c1')$$, '7|true|~');
select expect($$pgq_node.set_consumer_completed('qa', 'c1', 3)$$, '100|Consumer c1 completed tick = 3');
select expect_error($$select pgq_node.set_consumer_completed('qa', 'c1', null)$$, '%"last_tick_id"%', '23502');
select expect($$pgq_node.set_consumer_completed('qa', 'cx', 7)$$, '404|Consumer not known: qa/cx');

-- The handshake: what an admin changes clears uptodate, what stays as it is does not; the consumer sets it again.
select expect($$pgq_node.set_consumer_paused('qa', 'c1', false)$$, '201|Consumer c1 already resumed');
select expect($$select paused, uptodate from pgq_node.get_consumer_state('qa', 'c1')$$, 'false|true');
select expect($$pgq_node.set_consumer_paused('qa', 'c1', true)$$, '200|Consumer c1 tagged as paused');
select expect($$select paused, uptodate from pgq_node.get_consumer_state('qa', 'c1')$$, 'true|false');
select expect($$pgq_node.set_consumer_uptodate('qa', 'c1', true)$$, '200|Consumer uptodate = 1');
select expect($$pgq_node.set_consumer_paused('qa', 'c1', true)$$, '201|Consumer c1 already paused');
select expect($$select paused, uptodate from pgq_node.get_consumer_state('qa', 'c1')$$, 'true|true');
select expect($$pgq_node.change_consumer_provider('qa', 'c1', 'n1')$$, '200|Consumer provider node set to : n1');
select expect($$select completed_tick, provider_node, provider_location, paused, uptodate from pgq_node.get_consumer_state('qa', 'c1')$$, '3|n1|dbname=n1|true|false');
select expect($$pgq_node.set_consumer_uptodate('qa', 'c1', true)$$, '200|Consumer uptodate = 1');
select expect($$pgq_node.set_consumer_paused('qa', 'c1', false)$$, '200|Consumer c1 tagged as resumed');
select expect($$select paused, uptodate from pgq_node.get_consumer_state('qa', 'c1')$$, 'false|false');
select expect($$pgq_node.set_consumer_uptodate('qa', 'c1', false)$$, '200|Consumer uptodate = 0');
-- The worker is such a consumer too.
select expect($$pgq_node.set_consumer_paused('qa', 'root_w', true)$$, '200|Consumer root_w tagged as paused');
select expect($$select worker_paused, worker_uptodate from pgq_node.get_node_info('qa')$$, 'true|false');
select pgq_node.set_consumer_uptodate('qa', 'root_w', true), pgq_node.set_consumer_error('qa', 'root_w', 'oops');
select expect($$select worker_paused, worker_uptodate from pgq_node.get_node_info('qa')$$, 'true|true');
select expect($$select paused, uptodate, cur_error from pgq_node.get_worker_state('qa')$$, 'true|true|oops');

select expect($$pgq_node.set_consumer_paused('qa', 'cx', true)$$, '404|Unknown consumer: cx');
select expect($$pgq_node.set_consumer_uptodate('qa', 'cx', true)$$, '404|Consumer not known: qa/cx');
select expect($$pgq_node.change_consumer_provider('qa', 'c1', 'zz')$$, '404|New node not found: zz');
select expect($$pgq_node.change_consumer_provider('qa', 'cx', 'n1')$$, '404|Unknown consumer: qa/cx');
select expect_error($$select pgq_node.set_consumer_paused('qa', 'c1', null)$$, '%"paused"%', '23502');
select expect_error($$select pgq_node.set_consumer_uptodate('qa', 'c1', null)$$, '%"uptodate"%', '23502');
select expect($$select provider_node, paused, uptodate from pgq_node.get_consumer_state('qa', 'c1')$$, 'n1|false|false');

select expect($$pgq_node.unregister_consumer('none', 'c1')$$, '404|Unknown queue: none');
select expect($$pgq_node.unregister_consumer('qa', 'cx')$$, '200|Consumer cx unregistered from qa');
select expect($$pgq_node.unregister_consumer('qa', 'c1')$$, '200|Consumer c1 unregistered from qa');
select expect($$select consumer_name from pgq_node.get_consumer_info('qa')$$, 'root_w');
select expect_events('qa');
