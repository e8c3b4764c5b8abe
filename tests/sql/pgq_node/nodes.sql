-- Life cycle of nodes: create_node of every kind, what a node tells about itself, attributes, drop_node.
\ir ../expect.psql

-- A node's own location comes first, its provider's too.
select expect_error($$select pgq_node.create_node('qa', 'root', 'n_root', 'root_w', null, null, null)$$, '%node_info_queue_name_node_name_fkey%', '23503');
select expect($$pgq_node.register_location('qa', 'n_root', 'dbname=a', false)$$, '200|Location registered');
select expect($$pgq_node.register_location('ql', 'n_l', 'dbname=l', false)$$, '200|Location registered');
select expect_error($$select pgq_node.create_node('ql', 'leaf', 'n_l', 'l_w', 'p', 5, null)$$, '%local_state_queue_name_provider_node_fkey%', '23503');
select expect_error($$select pgq_node.create_node('ql', 'leaf', 'n_l', 'l_w', null, 5, null)$$, '%"provider_node"%', '23502');
select pgq_node.register_location('ql', 'p', 'dbname=p', false);
select pgq_node.register_location(q, n, 'dbname=' || n, false) from unnest(array['qb', 'qb1']) q, unnest(array['n_b', 'p']) n;

-- Refusals. What they leave behind is rolled back by the caller.
begin;
select expect($$pgq_node.create_node('qa', 'root', 'n_root', 'root_w', 'x', null, null)$$, '401|unexpected args for root');
select expect($$pgq_node.create_node('qa', 'root', 'n_root', 'root_w', null, 1, null)$$, '401|unexpected args for root');
select expect($$pgq_node.create_node('qa', 'root', 'n_root', 'root_w', null, null, 'qc')$$, '401|unexpected args for root');
select expect($$pgq_node.create_node('qb', 'branch', 'n_b', 'b_w', null, 1, null)$$, '401|provider not set for branch');
select expect($$pgq_node.create_node('qb', 'branch', 'n_b', 'b_w', 'p', null, null)$$, '401|global watermark not set for branch');
select expect($$pgq_node.create_node('ql', 'leaf', 'n_l', 'l_w', 'p', 5, 'none')$$, '401|non-existing queue on leaf side: none');
select expect($$pgq_node.create_node('qa', 'twig', 'n_root', 'root_w', null, null, null)$$, '401|bad node type: twig');
select expect($$pgq_node.create_node('qa', null, 'n_root', 'root_w', null, null, null)$$, '401|~');
rollback;
select expect('pgq_node.node_info');

-- One of each kind; a branch starts at the watermark of its provider.
select expect($$pgq_node.create_node('qa', 'root', 'n_root', 'root_w', null, null, null)$$,
              '200|Node "n_root" initialized for queue "qa" with type "root"');
select expect($$pgq_node.create_node('qb', 'branch', 'n_b', 'b_w', 'p', 100, null)$$,
              '200|Node "n_b" initialized for queue "qb" with type "branch"');
select expect($$pgq_node.create_node('qb1', 'branch', 'n_b', 'b_w', 'p', 1, null)$$,
              '200|Node "n_b" initialized for queue "qb1" with type "branch"');
select expect($$pgq_node.create_node('ql', 'leaf', 'n_l', 'l_w', 'p', 5, 'qa')$$,
              '200|Node "n_l" initialized for queue "ql" with type "leaf"');
select expect($$pgq_node.create_node('qa', 'root', 'n_root', 'root_w', null, null, null)$$, '401|Node already initialized');
select expect($$pgq_node.create_node('qa', 'leaf', 'n_root', 'root_w', 'x', 1, null)$$, '401|Node already initialized');

select expect($$select queue_name, queue_external_ticker, queue_disable_insert from pgq.queue order by 1$$,
              'qa|false|false', 'qb|true|true', 'qb1|true|true');
select expect($$select queue_name, tick_id, tick_event_seq from pgq.tick join pgq.queue on queue_id = tick_queue order by 1, 2$$,
              'qa|1|0', 'qb|1|0', 'qb|100|1', 'qb1|1|0');
select expect($$select queue_name, consumer_name, last_tick from pgq.get_consumer_info() order by 1, 2$$,
              'qa|.global_watermark|1', 'qb|.global_watermark|100', 'qb1|.global_watermark|1');
select expect($$select * from pgq_node.node_info order by 1$$,
              'qa|root|n_root|root_w|~|~', 'qb|branch|n_b|b_w|~|~', 'qb1|branch|n_b|b_w|~|~', 'ql|leaf|n_l|l_w|qa|~');
select expect($$select * from pgq_node.local_state order by 1$$,
              'qa|root_w|n_root|1|~|false|false', 'qb|b_w|p|100|~|false|false',
              'qb1|b_w|p|1|~|false|false', 'ql|l_w|p|5|~|false|false');

-- A root takes over a queue that exists; the watermark starts at its newest tick.
select pgq.create_queue('old'), pgq_node.register_location('old', 'me', 'x', false);
select tick('old');
select expect($$pgq_node.create_node('old', 'root', 'me', 'w', null, null, null)$$,
              '200|Node "me" initialized for queue "old" with type "root"');
select expect($$select global_watermark, worker_last_tick from pgq_node.get_node_info('old')$$, '2|2');

-- What a node tells
select expect($$pgq_node.get_node_info('qa')$$, '100|Ok|root|n_root|1|1|n_root|dbname=a|~|~|root_w|false|false|1|~|["ql"]');
select expect($$pgq_node.get_node_info('qb')$$, '100|Ok|branch|n_b|100|100|p|dbname=p|~|~|b_w|false|false|100|~|~');
select expect($$pgq_node.get_node_info('ql')$$, '100|Ok|leaf|n_l|~|5|p|dbname=p|qa|root|l_w|false|false|5|~|~');
select expect($$pgq_node.get_node_info('none')$$, '404|Unknown queue: none' || repeat('|~', 14));
select expect($$pgq_node.get_node_info(null)$$, '404' || repeat('|~', 15));
select expect($$pgq_node.get_worker_state('qa')$$, '100|Ok|root|n_root|1|n_root|dbname=a|false|false|~|root_w|1|1|1|~|~');
select expect($$pgq_node.get_worker_state('qb')$$, '100|Ok|branch|n_b|100|p|dbname=p|false|false|~|b_w|100|100|100|~|~');
select expect($$pgq_node.get_worker_state('ql')$$, '100|Ok|leaf|n_l|5|p|dbname=p|false|false|~|l_w|~|5|~|qa|root');
select expect($$pgq_node.get_worker_state('none')$$, '404|Unknown queue: none' || repeat('|~', 14));
select expect($$select pgq_node.is_root_node('qa'), pgq_node.is_root_node('qb'), pgq_node.is_root_node('ql')$$, 'true|false|false');
select expect($$select pgq_node.is_leaf_node('qa'), pgq_node.is_leaf_node('qb'), pgq_node.is_leaf_node('ql')$$, 'false|false|true');
select expect_error($$select pgq_node.is_root_node('none')$$, 'queue does not exist: none');
select expect_error($$select pgq_node.is_leaf_node('none')$$, 'queue does not exist: none');

-- On a root the worker's last tick is the newest one, its position stays.
select tick('qa'), tick('qa');
select expect($$select worker_last_tick, local_watermark, global_watermark from pgq_node.get_node_info('qa')$$, '3|3|1');
select expect($$select completed_tick, local_watermark, local_queue_top from pgq_node.get_worker_state('qa')$$, '1|3|3');
-- The local watermark is that of the slowest reader, the global watermark aside.
select pgq.register_consumer_at('qa', 'reader', 2);
select expect($$select local_watermark, global_watermark from pgq_node.get_node_info('qa')$$, '2|1');
select expect($$select local_watermark from pgq_node.get_worker_state('qa')$$, '2');

-- A broken node is an error for its worker, not for status.
begin;
update pgq_node.node_info set worker_name = 'gone' where queue_name = 'ql';
select expect($$select ret_code, ret_note, node_name, worker_name from pgq_node.get_worker_state('ql')$$, '404|Unknown consumer: ql/gone|n_l|gone');
select expect($$pgq_node.get_node_info('ql')$$, '100|Ok|leaf|n_l|~|~|~|~|qa|root|gone|~|~|~|~|~');
rollback;
begin;
update pgq_node.node_info set combined_queue = 'gone' where queue_name = 'ql';
select expect($$select ret_code, ret_note, combined_queue from pgq_node.get_worker_state('ql')$$, '404|Combined queue node not found: gone|gone');
select expect($$select ret_code, combined_queue, combined_type from pgq_node.get_node_info('ql')$$, '100|~|~');
rollback;

-- Attributes
select expect($$pgq_node.set_node_attrs('qb', 'sync_watermark=n_x,n_y')$$, '200|Node attributes updated');
select expect($$select node_attrs from pgq_node.get_node_info('qb')$$, 'sync_watermark=n_x,n_y');
select expect($$pgq_node.set_node_attrs('qb', null)$$, '200|Node attributes updated');
select expect($$select node_attrs from pgq_node.get_node_info('qb')$$, '~');
select expect($$pgq_node.set_node_attrs('none', 'x')$$, '404|Node not found');

-- drop_node of others: subscriber and location go, the own provider stays.
select pgq_node.register_location('qa', n, 'dbname=' || n, false), pgq_node.register_subscriber('qa', n, n || '_w', null) from unnest(array['n1', 'n2']) n;
select expect_events('qa', 'pgq.location-info|n1|qa|dbname=n1|false', 'pgq.location-info|n2|qa|dbname=n2|false');
select expect($$pgq_node.drop_node('qa', 'n1')$$, '200|Node dropped: n1');
select expect($$pgq_node.get_subscriber_info('qa')$$, 'n2|n2_w|1');
select expect($$select consumer_name from pgq.get_consumer_info('qa') order by 1$$, '.global_watermark', '.n2.watermark', 'n2_w', 'reader');
select expect($$select node_name from pgq_node.get_queue_locations('qa') order by 1$$, 'n2', 'n_root');
select expect_events('qa', 'pgq.unregister-location|n1|qa');
select expect($$pgq_node.drop_node('qa', 'n1')$$, '200|Node dropped: n1');
select expect_events('qa');
select expect($$pgq_node.drop_node('ql', 'p')$$, '405|Cannot drop provider node: p');
select expect($$pgq_node.drop_node('none', 'n1')$$, '200|Node dropped: n1');

-- drop_node of the local one: state, queue with its readers, and locations go.
select expect($$pgq_node.drop_node('qa', 'n_root')$$, '200|Node dropped: n_root');
select expect($$pgq_node.drop_node('ql', 'n_l')$$, '200|Node dropped: n_l');
select expect($$pgq_node.drop_node('qb', 'n_b')$$, '200|Node dropped: n_b');
select expect($$pgq_node.drop_node('qb1', 'n_b')$$, '200|Node dropped: n_b');
select expect($$pgq_node.drop_node('old', 'me')$$, '200|Node dropped: me');
select expect('pgq_node.node_location');
select expect('pgq_node.node_info');
select expect('pgq_node.local_state');
select expect('pgq_node.subscriber_info');
select expect('pgq.queue');
-- Leftovers without a node count as local.
select pgq_node.register_location('rest', 'a', 'x', false), pgq_node.register_location('rest', 'b', 'x', false), pgq.create_queue('rest');
select expect($$pgq_node.drop_node('rest', 'a')$$, '200|Node dropped: a');
select expect('pgq_node.node_location');
select expect('pgq.queue');

select expect('select pgq_node.upgrade_schema(), pgq_node.version() like ''3.5%''', '0|true');
