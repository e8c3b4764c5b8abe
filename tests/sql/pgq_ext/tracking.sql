-- What a consumer has applied: batches, events of a batch, ticks. Short and long forms are the same for subconsumer ''.
\ir ../pgq/helpers.psql

select expect($$select pgq_ext.version()$$, '3.1');

select expect($$select pgq_ext.is_batch_done('c', 1), pgq_ext.set_batch_done('c', 1), pgq_ext.is_batch_done('c', 1),
                       pgq_ext.set_batch_done('c', 1)$$, 'f,t,t,f');
select expect($$select pgq_ext.is_batch_done('c', 2), pgq_ext.set_batch_done('c', 2), pgq_ext.is_batch_done('c', 2),
                       pgq_ext.set_batch_done('c', 2)$$, 'f,t,t,f');
-- the last one only: neither earlier nor later ones
select expect($$select pgq_ext.is_batch_done('c', 1), pgq_ext.is_batch_done('c', 3), pgq_ext.is_batch_done('c', null)$$, 'f,f,');
select expect($$select pgq_ext.set_batch_done('c', 1), pgq_ext.is_batch_done('c', 1), pgq_ext.is_batch_done('c', 2)$$, 't,t,f');
select expect($$select pgq_ext.is_batch_done('c', '', 1), pgq_ext.is_batch_done('c', 's', 1), pgq_ext.is_batch_done('d', 1),
                       pgq_ext.is_batch_done('d', null)$$, 't,f,f,f');
select expect($$select pgq_ext.set_batch_done('c', 's', 1), pgq_ext.set_batch_done('c', 's', 1)$$, 't,f');
-- what is no batch id is not kept
select expect($$select pgq_ext.set_batch_done('c', 0), pgq_ext.set_batch_done('c', -1), pgq_ext.set_batch_done('c', null),
                       pgq_ext.set_batch_done('new', 0)$$, 't,t,t,t');
select expect($$select * from pgq_ext.completed_batch order by 1, 2$$, 'c,"",1 ; c,s,1');
select expect_error($$select pgq_ext.set_batch_done(null, 1)$$, 'null value in column "consumer_id"%', '23502');
select expect_error($$select pgq_ext.set_batch_done('c', null, 1)$$, 'null value in column "subconsumer_id"%', '23502');
select expect($$select pgq_ext.is_batch_done(null, 1)$$, 'f');

-- Events of the batch at work; another batch forgets them
select expect($$select pgq_ext.is_event_done('c', 3, 101), pgq_ext.set_event_done('c', 3, 101), pgq_ext.is_event_done('c', 3, 101),
                       pgq_ext.set_event_done('c', 3, 101)$$, 'f,t,t,f');
select expect($$select pgq_ext.set_event_done('c', 3, 102), pgq_ext.is_event_done('c', '', 3, 102), pgq_ext.is_event_done('c', 's', 3, 102)$$,
              't,t,f');
select expect($$select pgq_ext.set_event_done('c', 's', 3, 101), pgq_ext.set_event_done('c', 4, 101)$$, 't,t');
select expect($$select pgq_ext.is_event_done('c', 3, 101), pgq_ext.is_event_done('c', 4, 101), pgq_ext.is_event_done('c', 's', 3, 101)$$,
              'f,t,t');
select expect($$select * from pgq_ext.completed_event order by 2$$, 'c,"",4,101 ; c,s,3,101');
select expect($$select * from pgq_ext.partial_batch order by 2$$, 'c,"",4 ; c,s,3');
select expect($$select pgq_ext.is_event_done('c', 4, null), pgq_ext.is_event_done(null, 4, 101)$$, 'f,f');
select expect_error($$select pgq_ext.set_event_done('c', 4, null)$$, 'null value in column "event_id"%', '23502');
select expect_error($$select pgq_ext.set_event_done('c', null, 1)$$, 'null value in column "cur_batch_id"%', '23502');

-- Ticks
select expect($$select pgq_ext.get_last_tick('c'), pgq_ext.set_last_tick('c', 1), pgq_ext.get_last_tick('c')$$, ',1,1');
select expect($$select pgq_ext.set_last_tick('c', 2), pgq_ext.get_last_tick('c', ''), pgq_ext.get_last_tick('c', 's')$$, '1,2,');
select expect($$select pgq_ext.set_last_tick('c', 's', 7), pgq_ext.set_last_tick('c', null), pgq_ext.set_last_tick('c', null),
                       pgq_ext.get_last_tick('c'), pgq_ext.get_last_tick('c', 's')$$, '1,1,1,,7');
select expect_error($$select pgq_ext.set_last_tick(null, 1)$$, 'null value in column "consumer_id"%', '23502');
select expect($$select pgq_ext.set_last_tick(null, null), pgq_ext.get_last_tick(null)$$, '1,');
