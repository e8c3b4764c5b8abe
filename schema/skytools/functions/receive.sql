-- skytools.receive(queue, consumer [, max]) → setof events, the oldest unanswered ones of the open batch
-- Opens the next batch when none is open; no rows: there is nothing new. The same events come again until ack() or nack() has
-- answered them, and the batch is finished when all are answered: an event that was received but not answered is never lost.
-- Receivers of one consumer take turns: one that received, or answered, in a transaction of its own makes the
-- others wait until that ends. So "begin; receive; work; ack; commit" in one database does each event exactly once.
-- A consumer uses either this or batches. Of an event that is there twice, after a reposition, only the newer copy comes.
-- Errors: Not subscriber to queue: <queue>/<consumer> and others of pgq.next_batch · 22023 max is not positive.

create or replace function skytools.receive(i_queue_name text, i_consumer_name text, i_max integer default 100)
returns table (
    ev_id bigint, ev_time timestamptz, ev_txid bigint, ev_retry integer, ev_type text, ev_data text,
    ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    v_batch bigint;
    v_ids   bigint[];    -- the events to hand out, and their transactions
    v_txids bigint[];
begin
    if i_max is null or i_max < 1 then
        raise exception 'cannot receive % events', i_max using errcode = '22023';
    end if;
    loop
        v_batch := pgq.next_batch(i_queue_name, i_consumer_name);
        if v_batch is null then
            return;
        end if;
        perform from pgq.subscription where sub_batch = v_batch for no key update;
        continue when not found;      -- who had the lock finished it

        if not exists (select from skytools.unanswered u where u.batch_id = v_batch) then
            execute 'insert into skytools.unanswered (batch_id, ev_id, ev_txid) select distinct on (ev_id) $1, ev_id, ev_txid'
                    ' from (' || pgq.batch_event_sql(v_batch) || ') e order by ev_id, ev_retry desc nulls last, ev_txid desc'
              using v_batch;
        end if;
        select array_agg(u.ev_id), array_agg(u.ev_txid) into v_ids, v_txids
          from (select ev_id, ev_txid from skytools.unanswered
                 where batch_id = v_batch order by ev_id limit i_max) u;
        exit when v_ids is not null;
        perform pgq.finish_batch(v_batch);    -- an empty one
    end loop;

    return query execute
        'select e.* from (' || pgq.batch_event_sql(v_batch) || ') e
           join unnest($1, $2) u (id, txid) on u.id = e.ev_id and u.txid = e.ev_txid
          where e.ev_txid = any ($2) order by e.ev_id'
      using v_ids, v_txids;
end;
$$;

comment on function skytools.receive(text, text, integer) is
    'unanswered events of the consumer''s open batch, opened if need be; answer them with ack and nack';
