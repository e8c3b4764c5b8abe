-- Ticks of another node: ids grow, event sequences never fall, both sequences follow.
\ir helpers.psql

select pgq.create_queue('q');
create function ticks() returns text language sql as
  $$ select string_agg(tick_id || ':' || tick_event_seq, ' ' order by tick_id) from pgq.tick $$;

select expect_error($$select pgq.ticker('q', 50, now(), 50)$$, 'queue not found or ticker disabled: q');
select expect_error($$select pgq.ticker('nope', 50, now(), 50)$$, 'queue not found or ticker disabled: nope');
select pgq.set_queue_config('q', 'external_ticker', 'true');
update pgq.queue set queue_ticker_paused = true;
select expect_error($$select pgq.ticker('q', 50, now(), 50)$$, 'queue not found or ticker disabled: q');
update pgq.queue set queue_ticker_paused = false;

select expect($$select pgq.ticker('q', 50, '2001-01-01 00:00+00', 5000)$$, '50');
select expect($$select ticks()$$, '"1:0 50:5000"');
select expect($$select tick_time = '2001-01-01 00:00+00' from pgq.tick where tick_id = 50$$, 't');
select expect($$select pgq.seq_getval('pgq.event_1_tick_seq'), pgq.seq_getval('pgq.event_1_id_seq')$$, '50,5000');

-- what cannot be
select expect_error($$select pgq.ticker('q', 50, now(), 5000)$$, 'duplicate key value violates unique constraint "tick_pkey"', '23505');
select expect_error($$select pgq.ticker('q', 49, now(), 5000)$$, 'queue "q": tick 49 is below the newest tick 50');
select expect_error($$select pgq.ticker('q', null, now(), 5000)$$, 'null value in column "tick_id"%', '23502');
select expect_error($$select pgq.ticker('q', 51, null, 5000)$$, 'null value in column "tick_time"%', '23502');
select expect_error($$select pgq.ticker('q', 51, now(), null)$$, 'null value in column "tick_event_seq"%', '23502');
select expect($$select ticks()$$, '"1:0 50:5000"');

-- ids may leave gaps; a worker that has seen no event sends 0
select expect($$select pgq.ticker('q', 60, now(), 0)$$, '60');
select expect($$select pgq.ticker('q', 61, now(), 4999)$$, '61');
select expect($$select pgq.ticker('q', 62, now(), 5001)$$, '62');
select expect($$select ticks()$$, '"1:0 50:5000 60:5000 61:5000 62:5001"');

-- neither sequence is lowered
select setval('pgq.event_1_id_seq', 9000), setval('pgq.event_1_tick_seq', 100);
select expect($$select pgq.ticker('q', 63, now(), 5002)$$, '63');
select expect($$select pgq.seq_getval('pgq.event_1_tick_seq'), pgq.seq_getval('pgq.event_1_id_seq')$$, '100,9000');

-- a node that becomes root goes on above all of that
select pgq.set_queue_config('q', 'external_ticker', 'false');
select expect($$select tick_now('q'), pgq.insert_event('q', 't', 'd')$$, '101,9001');
