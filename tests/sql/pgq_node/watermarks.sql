-- Subscribers and watermarks: registration, local and global watermark, maintenance, partition watermark of merged queues.
\ir ../expect.psql
select pgq_node.register_location(q, n, 'dbname=' || n, false) from unnest(array['qa', 'qb', 'ql', 'qm']) q, unnest(array['me', 'p', 'n1', 'n2']) n;
select pgq_node.create_node('qa', 'root', 'me', 'root_w', null, null, null), pgq_node.create_node('qb', 'branch', 'me', 'b_w', 'p', 100, null),
       pgq_node.create_node('ql', 'leaf', 'me', 'l_w', 'p', 5, null), pgq_node.create_node('qm', 'leaf', 'me', 'm_w', 'p', 5, 'qb');
select tick('qa'), tick('qa');

-- register_subscriber: its watermark starts at the global one, its worker there too or at the tick asked for.
select expect($$pgq_node.register_subscriber('none', 'n1', 'w1', null)$$, '404|Unknown queue: none|~');
select expect($$pgq_node.register_subscriber('ql', 'n1', 'w1', null)$$, '401|Cannot subscribe to leaf node|~');
select expect_error($$select pgq_node.register_subscriber('qa', 'n9', 'w9', null)$$, '%subscriber_info_queue_name_subscriber_node_fkey%', '23503');
select expect_error($$select pgq_node.register_subscriber('qa', 'n1', 'w1', 77)$$, 'cannot reposition, tick not found: 77');
select expect($$pgq_node.register_subscriber('qa', 'n1', 'w1', null)$$, '200|Subscriber registered: n1|1');
select expect($$pgq_node.register_subscriber('qa', 'n2', 'w2', 3)$$, '200|Subscriber registered: n2|1');
select expect_error($$select pgq_node.register_subscriber('qa', 'n1', 'w1', null)$$, '%subscriber_info_pkey%', '23505');
select expect($$pgq_node.register_subscriber('qb', 'n1', 'w1', null)$$, '200|Subscriber registered: n1|100');
select expect($$select consumer_name, last_tick from pgq.get_consumer_info('qa') order by 1$$,
              '.global_watermark|1', '.n1.watermark|1', '.n2.watermark|1', 'w1|1', 'w2|3');
select expect($$select * from pgq_node.subscriber_info where queue_name = 'qa' order by 2$$, 'qa|n1|w1|.n1.watermark', 'qa|n2|w2|.n2.watermark');
select expect($$pgq_node.get_subscriber_info('qa')$$, 'n1|w1|1', 'n2|w2|1');
select expect($$pgq_node.get_subscriber_info('ql')$$);
select expect($$pgq_node.get_subscriber_info('none')$$);

-- set_subscriber_watermark: forward only, to ticks that are there.
select expect($$pgq_node.set_subscriber_watermark('qa', 'n1', 2)$$, '200|.n1.watermark set to 2');
select expect($$pgq_node.set_subscriber_watermark('qa', 'n1', 2)$$, '100|watermark already set');
select expect($$pgq_node.set_subscriber_watermark('qa', 'n1', 1)$$, '405|watermark must not be moved backwards');
select expect_error($$select pgq_node.set_subscriber_watermark('qa', 'n1', 99)$$, 'cannot reposition, tick not found: 99');
select expect($$pgq_node.set_subscriber_watermark('qa', 'n3', 2)$$, '404|node n3 not subscribed to queue qa');
select expect($$pgq_node.set_subscriber_watermark('none', 'n1', 2)$$, '404|node n1 not subscribed to queue none');
select expect($$pgq_node.set_subscriber_watermark(null, null, null)$$, '404|~');
select expect($$pgq_node.get_subscriber_info('qa')$$, 'n1|w1|2', 'n2|w2|1');

-- set_global_watermark on a root: NULL is the local watermark, the slowest of all readers; the set hears of it.
select expect_events('qa');
select expect($$pgq_node.set_global_watermark('qa', null)$$, '200|Global watermark set to 1');
select pgq_node.set_subscriber_watermark('qa', 'n2', 3), pgq_node.set_subscriber_watermark('qa', 'n1', 3), pgq.register_consumer_at('qa', 'w1', 2);
select expect($$pgq_node.set_global_watermark('qa', null)$$, '200|Global watermark set to 2');
select expect($$select completed_tick, global_watermark, local_watermark, local_queue_top from pgq_node.get_worker_state('qa')$$, '2|2|2|3');
select expect_error($$select pgq_node.set_global_watermark('qa', 99)$$, 'cannot reposition, tick not found: 99');
select expect($$pgq_node.set_global_watermark('qa', 3)$$, '200|Global watermark set to 3');
select expect($$select last_tick from pgq.get_consumer_info('qa', '.global_watermark')$$, '3');
select expect_events('qa', 'pgq.global-watermark|1|qa', 'pgq.global-watermark|2|qa', 'pgq.global-watermark|3|qa');

-- … on a branch: what the set says, if the tick is here; on a leaf: nothing.
select pgq.ticker('qb', 101, now(), 7);
select expect($$pgq_node.set_global_watermark('qb', null)$$, '500|bad usage: wm=null on branch node');
select expect($$pgq_node.set_global_watermark('qb', 99)$$, '200|Skipping global watermark update to 99');
select expect($$select global_watermark, worker_last_tick from pgq_node.get_node_info('qb')$$, '100|100');
select expect($$pgq_node.set_global_watermark('qb', 101)$$, '200|Global watermark set to 101');
select expect($$select global_watermark, worker_last_tick from pgq_node.get_node_info('qb')$$, '101|100');
select expect_events('qb');
select expect($$pgq_node.set_global_watermark('ql', 5)$$, '100|Ignoring global watermark in leaf');
select expect($$pgq_node.set_global_watermark('ql', null)$$, '100|Ignoring global watermark in leaf');
select expect($$pgq_node.set_global_watermark('none', 5)$$, '404|Queue none not found');
select expect($$pgq_node.set_global_watermark(null, null)$$, '404|~');

-- maint_watermark: only on a root, only when the watermark is five minutes old.
select expect($$select pgq_node.maint_watermark(q) from unnest(array['qa', 'qb', 'ql', 'none']) q$$, '0', '0', '0', '0');
select expect_events('qa');
select tick('qa');
select pgq.register_consumer_at('qa', c, 4) from unnest(array['w1', 'w2', '.n1.watermark', '.n2.watermark']) c;
update pgq.tick set tick_time = now() - interval '4 minutes 50 seconds' where tick_id = 3;
select pgq_node.maint_watermark('qa');
select expect_events('qa');
update pgq.tick set tick_time = now() - interval '5 minutes' where tick_id in (3, 100, 101);
select expect($$select pgq_node.maint_watermark('qa'), pgq_node.maint_watermark('qb')$$, '0|0');
select expect_events('qa', 'pgq.global-watermark|4|qa');
select expect($$select global_watermark from pgq_node.get_node_info('qb')$$, '101');
-- A queue closed by demote_root is left alone, so maintenance of the other queues goes on.
update pgq.tick set tick_time = now() - interval '6 minutes' where tick_id = 4;
select pgq_node.demote_root('qa', 1, null);
select expect($$select pgq_node.maint_watermark('qa')$$, '0');
select expect_error($$select pgq_node.set_global_watermark('qa', null)$$, 'Insert into queue disallowed');
select pgq_node.demote_root('qa', 0, null);

-- unregister_subscriber: both readers go.
select expect($$pgq_node.unregister_subscriber('qa', 'n3')$$, '304|Subscriber not found');
select expect($$pgq_node.unregister_subscriber('none', 'n1')$$, '304|Subscriber not found');
select expect($$pgq_node.unregister_subscriber('qa', 'n1')$$, '200|Subscriber unregistered: n1');
select expect($$pgq_node.unregister_subscriber('qa', 'n1')$$, '304|Subscriber not found');
select expect($$select consumer_name from pgq.get_consumer_info('qa') order by 1$$, '.global_watermark', '.n2.watermark', 'w2');
select expect($$pgq_node.get_queue_locations('qa') where node_name = 'n1'$$, 'n1|dbname=n1|false');

-- set_partition_watermark: the combined queue, being a branch, moves the worker of the merged leaf.
select expect($$pgq_node.set_partition_watermark('qb', 'qm', 9)$$, '200|Ok');
select expect($$select completed_tick, combined_queue, combined_type from pgq_node.get_worker_state('qm')$$, '9|qb|branch');
select expect($$select target_for from pgq_node.get_node_info('qb')$$, '["qm"]');
select expect($$pgq_node.set_partition_watermark('qb', 'ql', 9)$$, '201|Part-queue does not exist');
select expect($$pgq_node.set_partition_watermark('qb', 'none', 9)$$, '201|Part-queue does not exist');
select expect($$pgq_node.set_partition_watermark('none', 'qm', 9)$$, '201|Part-queue does not exist');
select expect($$pgq_node.set_partition_watermark('qa', 'qm', 9)$$, '201|Part-queue does not exist');
begin;
update pgq_node.node_info set combined_queue = 'qa' where queue_name = 'qm';
select expect($$pgq_node.set_partition_watermark('qa', 'qm', 10)$$, '201|Part-queue does not exist');  -- qa is a root
update pgq_node.node_info set combined_queue = 'qb', worker_name = 'gone' where queue_name = 'qm';
select expect($$pgq_node.set_partition_watermark('qb', 'qm', 10)$$, '401|Worker registration not found');
rollback;
select expect($$select completed_tick from pgq_node.get_worker_state('qm')$$, '9');
