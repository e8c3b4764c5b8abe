-- Members of a set: register_location and unregister_location without a node, on a leaf and on a root, with the events a root sends.
\ir ../expect.psql

-- Without a node: no event, nothing but the row.
select expect($$pgq_node.register_location('qa', 'n_root', 'dbname=a', false)$$, '200|Location registered');
select expect($$pgq_node.register_location('qa', 'n_none', null, false)$$, '200|Location registered');
select expect($$pgq_node.get_queue_locations('qa')$$, 'n_root|dbname=a|false');
select expect_error($$select pgq_node.register_location('qa', 'n_root', 'x', null)$$, '%"dead"%', '23502');
select expect_error($$select pgq_node.register_location('qa', 'n_new', 'x', null)$$, '%"dead"%', '23502');
select expect($$pgq_node.register_location('none', 'a', 'x', true)$$, '200|Location registered');
select expect($$pgq_node.get_queue_locations('none')$$, 'a|x|true');
select expect($$pgq_node.unregister_location('none', 'a')$$, '200|Ok');
select expect($$pgq_node.unregister_location('none', 'a')$$, '301|Location not found: none/a');

-- A root tells the set: data node, extra1 queue, extra2 location or NULL for unchanged, extra3 dead.
select pgq_node.create_node('qa', 'root', 'n_root', 'root_w', null, null, null);
select pgq_node.register_location('qa', 'n1', 'dbname=1', false);
select pgq_node.register_location('qa', 'n1', null, true);
select expect($$pgq_node.get_queue_locations('qa') order by 1$$, 'n1|dbname=1|true', 'n_root|dbname=a|false');
select pgq_node.register_location('qa', 'n1', 'dbname=other', false);
select pgq_node.register_location('qa', 'n1', 'dbname=other', false);
select pgq_node.register_location('qa', 'n_root', 'dbname=moved', false);
select pgq_node.register_location('qa', 'unknown', null, true);
select expect($$pgq_node.get_queue_locations('qa') order by 1$$, 'n1|dbname=other|false', 'n_root|dbname=moved|false');
select expect($$select provider_location from pgq_node.get_node_info('qa')$$, 'dbname=moved');
select expect_events('qa', 'pgq.location-info|n1|qa|dbname=1|false', 'pgq.location-info|n1|qa|~|true',
                     'pgq.location-info|n1|qa|dbname=other|false', 'pgq.location-info|n1|qa|dbname=other|false',
                     'pgq.location-info|n_root|qa|dbname=moved|false');

-- A member that leaves is no subscriber any more.
select pgq_node.register_subscriber('qa', 'n1', 'w1', null);
select expect($$pgq_node.unregister_location('qa', 'n1')$$, '200|Ok');
select expect($$pgq_node.get_subscriber_info('qa')$$);
select expect($$select consumer_name from pgq.get_consumer_info('qa')$$, '.global_watermark');
select expect_events('qa', 'pgq.unregister-location|n1|qa');
select expect($$pgq_node.unregister_location('qa', 'n1')$$, '301|Location not found: qa/n1');
select expect($$pgq_node.unregister_location('qa', 'n_root')$$, '403|Cannot drop node''s own location');

-- Elsewhere: no events, and the provider has to stay.
select pgq_node.register_location('ql', n, 'dbname=' || n, false) from unnest(array['me', 'p', 'o']) n;
select pgq_node.create_node('ql', 'leaf', 'me', 'w', 'p', 5, null);
select expect($$pgq_node.unregister_location('ql', 'me')$$, '403|Cannot drop node''s own location');
select expect($$pgq_node.unregister_location('ql', 'p')$$, '403|Cannot drop location of node''s parent');
select expect($$pgq_node.unregister_location('ql', 'o')$$, '200|Ok');
select pgq_node.register_location('qb', n, 'dbname=' || n, false) from unnest(array['me', 'p', 'o']) n;
select pgq_node.create_node('qb', 'branch', 'me', 'w', 'p', 5, null);
select pgq_node.register_location('qb', 'p', null, true), pgq_node.unregister_location('qb', 'o');
select expect($$pgq_node.get_queue_locations('qb') order by 1$$, 'me|dbname=me|false', 'p|dbname=p|true');
select expect_events('qb');
