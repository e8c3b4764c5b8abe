-- EXECUTE: a script runs once per database, a root sends it on, maintenance forgets old ones.
\ir ../expect.psql
select pgq_node.register_location(q, n, 'x', false) from unnest(array['qa', 'ql']) q, unnest(array['me', 'p']) n;
select pgq_node.create_node('qa', 'root', 'me', 'root_w', null, null, null), pgq_node.create_node('ql', 'leaf', 'me', 'l_w', 'p', 5, null);

select expect_error($$select londiste.execute_start('none', 'f', 'x', true)$$, 'queue does not exist: none');
select expect_error($$select londiste.execute_finish('none', 'f')$$, 'queue does not exist: none');
select expect($$londiste.execute_start('qa', 'f1', 'select 1', true)$$, '200|Executing: f1');
select expect($$londiste.execute_finish('qa', 'f1')$$, '200|Execute finished: f1');
select expect($$londiste.execute_start('qa', 'f1', 'select 1', true)$$, '201|EXECUTE: "f1" already applied, skipping');
select expect($$londiste.execute_start('qa', 'f2', E'select 2;\n', true, 'local-table=t1')$$, '200|Executing: f2');
select expect($$londiste.execute_finish('qa', 'f2')$$, '200|Execute finished: f2');
select expect($$londiste.execute_finish('qa', 'f3')$$, '404|execute_file called without execute_start');
select expect_events('qa', 'EXECUTE|select 1|f1', E'EXECUTE|select 2;\n|f2|local-table=t1');

-- Elsewhere nothing is sent; names of scripts are unique in the database, not in the queue.
select expect($$londiste.execute_start('ql', 'f4', 'select 4', true)$$, '401|Node is not root node: ql');
select expect($$londiste.execute_start('ql', 'f1', 'select 1', false, null)$$, '201|EXECUTE: "f1" already applied, skipping');
select expect($$londiste.execute_start('ql', 'f4', 'select 4', false, 'a=b')$$, '200|Executing: f4');
select expect($$londiste.execute_finish('ql', 'f4')$$, '200|Execute finished: f4');
select expect_events('qa');
select expect($$(select queue_name, execute_file, execute_sql, execute_attrs from londiste.applied_execute order by 2) s$$,
              'qa|f1|select 1|~', E'qa|f2|select 2;\n|local-table=t1', 'ql|f4|select 4|a=b');

update londiste.applied_execute set execute_time = now() - interval '3 months 1 day' where execute_file = 'f1';
update londiste.applied_execute set execute_time = now() - interval '2 months 27 days' where execute_file = 'f2';
select expect($$select londiste.periodic_maintenance()$$, '0');
select expect($$(select execute_file from londiste.applied_execute order by 1) s$$, 'f2', 'f4');

-- The record outlives the node.
select pgq_node.drop_node('qa', 'me');
select expect($$(select execute_file from londiste.applied_execute order by 1) s$$, 'f2', 'f4');
