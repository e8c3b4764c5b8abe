-- Who may call what of the functions beside pgq: consumers, producers, administrators, everybody else.
\ir ../pgq/helpers.psql

create role beside_reader in role pgq_reader; create role beside_writer in role pgq_writer;
create role beside_admin in role pgq_admin;   create role beside_plain;
select pgq.create_queue('q'); select pgq.register_consumer('q', 'c');
select skytools.send('q', 't', array['a', 'b']); select tick_now('q');

-- Only a missing privilege is a no, any other error comes through; all is rolled back.
create function may(i_role text, i_sql text) returns boolean language plpgsql as $$
begin
  begin
    perform set_config('role', i_role, true);
    execute i_sql;
    raise exception using errcode = 'RB000';
  exception
    when sqlstate 'RB000' then return true;
    when insufficient_privilege then return false;
  end;
end $$;

do $$
declare
  r record;
  v_seen text;
begin
  for r in select * from (values
    -- reader, writer, admin, plain
    ('+-+-', 'select skytools.answer_batch(pgq.next_batch(''q'', ''c''), array[1], null, array[2], array[''x''])'),
    ('+-+-', 'select * from skytools.receive(''q'', ''c'')'),
    ('+-+-', 'select skytools.ack(''q'', ''c'', 1)'),
    ('+-+-', 'select skytools.ack(''q'', ''c'', array[1])'),
    ('+-+-', 'select skytools.nack(''q'', ''c'', 1) from skytools.receive(''q'', ''c'')'),
    ('+-+-', 'select * from skytools.dead_list(''q'')'),
    ('+-+-', 'select * from skytools.dead_list(''q'', ''c'', 1)'),
    ('+-+-', 'select skytools.seek(''q'', ''c'', 1)'),
    ('+-+-', 'select skytools.seek(''q'', ''c'', now())'),
    ('-++-', 'select skytools.send(''q'', ''t'', ''d'')'),
    ('-++-', 'select skytools.send(''q'', ''t'', array[''d''])'),
    ('--+-', 'select skytools.dead_replay(''q'', ''c'')'),
    ('--+-', 'select skytools.dead_purge(''q'', ''c'')'),
    ('--+-', 'select skytools.pause_consumer(''q'', ''c'')'),
    ('--+-', 'select skytools.resume_consumer(''q'', ''c'')'),
    ('--+-', 'select skytools.set_queue_policy(''q'', ''retry_limit'', ''1'')'),
    ('--+-', 'select skytools.forget_gone()'),
    ('--+-', 'select skytools.renew_retry_queue()'),
    ('--+-', 'select pgq.maint_retry_events()'),
    ('++++', 'select skytools.consumer_paused(''q'', ''c'')'),
    ('++++', 'table skytools.queue_policy'),
    ('++++', 'table skytools.paused_consumer'),
    ('+-+-', 'table skytools.dead_letter'),
    ('--+-', 'table skytools.unanswered'),
    ('--+-', 'delete from skytools.dead_letter'),
    ('----', 'select skytools.return_events(1, null, null, null, null)'),
    ('----', 'select skytools.lock_open_batch(''q'', ''c'')'),
    ('----', 'select skytools.renew_consumer_id(1)')) v (expected, call)
  loop
    select string_agg(case when may(role, r.call) then '+' else '-' end, '' order by nr) into v_seen
      from unnest(array['beside_reader', 'beside_writer', 'beside_admin', 'beside_plain']) with ordinality u (role, nr);
    assert v_seen = r.expected, format('%s: expected %s, got %s', r.call, r.expected, v_seen);
  end loop;
end $$;
drop role beside_reader, beside_writer, beside_admin, beside_plain;
