-- Who may do what: a reader subscribes and looks, a writer runs consumers, an admin changes nodes. The exact grants are
-- facts of the interface and tested as such; here it shows that each role gets through, whatever tables lie behind.
\ir ../expect.psql
select pgq_node.register_location('qa', n, 'dbname=' || n, false) from unnest(array['me', 'n1']) n;
grant usage, create on schema public to public;

set role pgq_admin;
select expect($$pgq_node.create_node('qa', 'root', 'me', 'root_w', null, null, null)$$, '200|Node "me" initialized for queue "qa" with type "root"');
select expect($$select worker_name, global_watermark from pgq_node.get_worker_state('qa')$$, 'root_w|1');
select expect($$pgq_node.set_node_attrs('qa', 'x=y')$$, '200|Node attributes updated');
select expect($$pgq_node.register_location('qa', 'n2', 'dbname=2', false)$$, '200|Location registered');
select expect($$pgq_node.unregister_location('qa', 'n2')$$, '200|Ok');
select expect($$pgq_node.set_global_watermark('qa', null)$$, '200|Global watermark set to 1');
select expect($$pgq_node.set_partition_watermark('qa', 'qp', 1)$$, '201|Part-queue does not exist');
select expect($$select pgq_node.maint_watermark('qa'), pgq_node.upgrade_schema(), pgq_node.is_root_node('qa')$$, '0|0|true');
select expect($$select (d).ret_code from (select pgq_node.demote_root('qa', step, 'n1') d from generate_series(1, 3) step) s$$, '200', '200', '200');
select expect($$pgq_node.promote_branch('qa')$$, '200|Branch node promoted to root');

set role pgq_writer;
select expect($$pgq_node.register_consumer('qa', 'c', 'me', 1)$$, '200|Consumer c registered on queue qa');
select expect($$pgq_node.change_consumer_provider('qa', 'c', 'n1')$$, '200|Consumer provider node set to : n1');
select expect($$pgq_node.set_consumer_paused('qa', 'c', true)$$, '200|Consumer c tagged as paused');
select expect($$pgq_node.set_consumer_uptodate('qa', 'c', true)$$, '200|Consumer uptodate = 1');
select expect($$pgq_node.set_consumer_error('qa', 'c', 'boo')$$, '100|Consumer c error = boo');
select expect($$pgq_node.set_consumer_completed('qa', 'c', 2)$$, '100|Consumer c completed tick = 2');
select expect($$select ret_code, completed_tick from pgq_node.get_consumer_state('qa', 'c')$$, '100|2');
select expect($$pgq_node.unregister_consumer('qa', 'c')$$, '200|Consumer c unregistered from qa');
select expect_error($$select pgq_node.get_worker_state('qa')$$, 'permission denied for function get_worker_state', '42501');
select expect_error($$select pgq_node.demote_root('qa', 1, null)$$, 'permission denied for function demote_root', '42501');
select expect_error($$select pgq_node.drop_node('qa', 'n1')$$, 'permission denied for function drop_node', '42501');
select expect_error($$update pgq_node.local_state set paused = true$$, 'permission denied for table local_state', '42501');

set role pgq_reader;
select expect($$pgq_node.register_subscriber('qa', 'n1', 'w1', null)$$, '200|Subscriber registered: n1|1');
select expect($$pgq_node.set_subscriber_watermark('qa', 'n1', 2)$$, '200|.n1.watermark set to 2');
select expect($$pgq_node.get_subscriber_info('qa')$$, 'n1|w1|2');
select expect($$pgq_node.unregister_subscriber('qa', 'n1')$$, '200|Subscriber unregistered: n1');
select expect($$select node_name from pgq_node.get_node_info('qa')$$, 'me');
select expect($$select consumer_name from pgq_node.get_consumer_info('qa')$$, 'root_w');
select expect($$select node_name from pgq_node.get_queue_locations('qa') order by 1$$, 'me', 'n1');
select expect($$select pgq_node.is_root_node('qa'), pgq_node.is_leaf_node('qa'), pgq_node.version() is not null$$, 'true|false|true');
select expect_error($$select pgq_node.register_consumer('qa', 'c', 'me', 1)$$, 'permission denied for function register_consumer', '42501');
select expect_error($$select pgq_node.set_global_watermark('qa', 1)$$, 'permission denied for function set_global_watermark', '42501');
select expect_error($$select pgq_node.register_location('qa', 'n3', 'x', false)$$, 'permission denied for function register_location', '42501');

set role pgq_admin;
select expect($$pgq_node.drop_node('qa', 'me')$$, '200|Node dropped: me');
reset role;

-- Anybody may ask for version, nobody else sees nodes.
create role node_stranger;
set role node_stranger;
select expect($$select pgq_node.version() is not null$$, 'true');
select expect_error($$select pgq_node.get_node_info('qa')$$, 'permission denied for function get_node_info', '42501');
select expect_error($$select * from pgq_node.node_info$$, 'permission denied for table node_info', '42501');
reset role;
drop role node_stranger;
